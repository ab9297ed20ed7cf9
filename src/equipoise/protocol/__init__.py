"""What the trial promises: its schema by version, loading, rules of meaning, and the shipped protocols."""
