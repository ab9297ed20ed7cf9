"""Tests of the document model, its figures and its page."""
