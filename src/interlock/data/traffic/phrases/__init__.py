"""What is said in the manga world, by intent and speech act. Only data: knows neither chance nor style."""
