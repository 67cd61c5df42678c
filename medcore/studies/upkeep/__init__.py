"""What whoever runs an installation asks of the store: how much there is of everything, and all of it as one file."""
