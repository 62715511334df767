"""One file for each thing an audit looks for, all of the same shape. Knows nothing of the order they run in."""
