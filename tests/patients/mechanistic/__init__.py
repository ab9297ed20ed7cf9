"""Proofs of the mechanistic model."""
