"""What may be asked of studies, runs, people and the trail, and done with them; each part of `Store` in a file."""
