"""The report of a model that says by when an event comes; may know the rest of the room but not its formats."""
