"""Evaluate › Release: a person gives a run's model out for use, compares it with the version in use, and takes it back."""
