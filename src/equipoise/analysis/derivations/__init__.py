"""Derivations of parameters, one a file; each ends in the object that its entry point names."""
