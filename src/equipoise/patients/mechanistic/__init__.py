"""The mechanistic twin of the empirical model: immune balance, cells, beta cells and glucose as equations."""
