"""Simulated people: who they are, how their disease runs, and what treatment would change. Pure NumPy."""
