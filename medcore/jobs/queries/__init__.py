"""Questions a worker answers while a page waits: predict, explain, write a report."""
