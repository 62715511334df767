"""Many trainings that differ in a few choices, cached and side by side. Knows no statistics and judges nothing."""
