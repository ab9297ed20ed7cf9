"""What a trial produces: observation classes as typed tables, Panels for analysis, files, SDTM at the edge, imports."""
