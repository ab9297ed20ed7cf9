"""What four trials give today, leaf by leaf, so that a change that should change nothing can show it."""
