"""Calibrators, thresholds and detectors, fitted on a CalibrationSet only. Knows no training rows and no test rows."""
