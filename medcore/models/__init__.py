"""Networks, baselines, ensembles and the bundles they are kept in."""
