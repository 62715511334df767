"""One dataset to train, calibration and test rows that share nothing, and the proof of it. Knows no model."""
