"""What is true of the estimands of a simulated trial, by both potential outcomes of the same people."""
