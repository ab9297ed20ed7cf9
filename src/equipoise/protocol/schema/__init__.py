"""The schema of a protocol document, version 1: what may be written, and of which type each value is."""
