"""The empirical model: each quantity follows what is seen in untreated people, without a mechanism."""
