"""What stands beside a table: codebooks, and sheets or files that are one table with it."""
