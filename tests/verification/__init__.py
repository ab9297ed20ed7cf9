"""Tests of what verifies by simulation."""
