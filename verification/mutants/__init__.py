"""How many small changes of the code its tests notice: a fixed sample over all rooms."""
