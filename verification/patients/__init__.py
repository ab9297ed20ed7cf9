"""The simulated placebo cohort against the real one."""
