"""The schema of a protocol document, all versions: what may be written, since which, and of which type it is."""
