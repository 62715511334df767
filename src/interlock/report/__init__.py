"""What was measured as tables, pictures and pages in a folder. Knows no training, no serving, and no terminal."""
