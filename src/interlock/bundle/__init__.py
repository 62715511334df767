"""A router as one verified directory: pack, open, verify. Knows no training and no traffic."""
