"""Pictures of measurements, a file each, drawn on a figure that is handed in. Knows no files and no drawing library."""
