"""The Evaluate page: overview, comparison, groups, errors, new patients, report."""
