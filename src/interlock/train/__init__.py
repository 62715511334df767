"""A scorer fitted to a TrainSet, beside its baselines. Knows nothing of thresholds, test rows or bundles."""
