"""The dashboard's pages, one a clinical question."""
