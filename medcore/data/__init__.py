"""From a file's bytes to patients ready to learn from."""
