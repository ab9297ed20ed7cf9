"""Results become the report as a document. No statistics here: every number comes from results.json or a dataset."""
