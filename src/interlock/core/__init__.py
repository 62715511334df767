"""The nouns every room speaks: contract, example, decision, measurement, receipt. Knows no files and no models."""
