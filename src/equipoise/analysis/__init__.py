"""From a Panel to results: the plan, registered derivations and methods, analysis sets, results, claims, datasets."""
