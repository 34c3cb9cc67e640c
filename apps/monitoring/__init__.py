"""Nightly figures per model and cohort: drift, observed against predicted, overrides, fairness."""
