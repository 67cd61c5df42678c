"""Open a study: a sample, or a table that a person brings; decide about identifiers first."""
