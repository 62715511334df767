"""Messages and labels changed on purpose, to see what a router makes of them. Knows no model."""
