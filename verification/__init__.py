"""Long verification, apart from the quick tests: calibration against real people."""
