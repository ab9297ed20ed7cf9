"""Whether anything that a masked role gets tells the arm: two classifiers on one row a person."""
