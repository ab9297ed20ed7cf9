"""Reading the files of a finished trial by a map that says which column means what."""
