"""Every worked number of the five source documents, recomputed; ``python -m bench.worked_examples`` writes the page."""
