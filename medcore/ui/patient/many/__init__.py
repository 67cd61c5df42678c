"""Many patients: the list, what is read ahead of a click, and tables explained row by row."""
