"""What commands do otherwise where the outcome is a number or comes with its time."""
