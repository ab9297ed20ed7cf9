"""Documents: one model of a report that knows no format, its figures as data, and the writers that lay it out."""
