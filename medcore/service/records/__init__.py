"""Hospitals' records: FHIR resources in and out, cards by CDS Hooks, and the records that sign their calls."""
