"""The command line: parse, call one verb, print, exit."""

from equipoise.cli.main import main

__all__ = ["main"]
