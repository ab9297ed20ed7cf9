"""Records and analysis datasets in the formats that others read: Dataset-JSON, SAS transport, Define-XML; checks."""
