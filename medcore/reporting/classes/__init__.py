"""The report of a model of classes: its parts, and their order."""
