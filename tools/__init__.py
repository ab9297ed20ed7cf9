"""The gates of `make check`, one script each."""
