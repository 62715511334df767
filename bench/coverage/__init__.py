"""How often each interval holds the truth, and each test rejects what is true: simulated, beside what is promised."""
