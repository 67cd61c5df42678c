"""Results in, a document out."""
