"""Tests of the mixed model for repeated measures."""
