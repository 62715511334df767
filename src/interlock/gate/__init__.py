"""Evidence in, verdicts out: receipts and the one judge. Knows no training, no bundles and no traffic."""
