"""The command line: one short file per command group, the only room that prints. Knows no formulas."""
