"""Why one patient got that risk."""
