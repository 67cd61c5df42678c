"""Who may enter, and whose turn it is."""
