"""One function a command: what `equipoise` does on the command line and in Python, with folders and provenance."""
