"""Training runs: a row in the database first, then a task on a worker; stopped, survived."""
