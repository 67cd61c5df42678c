"""What a check is made of: the columns and patients it looks at, and the catalogue it is listed in."""
