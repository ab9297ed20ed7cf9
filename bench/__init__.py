"""How long things take beside a peer, measured in one run; nothing here is a test."""
