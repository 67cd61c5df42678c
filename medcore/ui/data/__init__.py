"""The Data page: how the file was read, what columns are, preparation, split."""
