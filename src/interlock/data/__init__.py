"""Labelled rows in, clean splits out: read, fingerprint, audit, split. Knows nothing of models."""
