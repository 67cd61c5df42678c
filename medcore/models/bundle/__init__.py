"""A trained model ready to use, and the sealed folder it is kept in (without pickle)."""
