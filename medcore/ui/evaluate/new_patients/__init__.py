"""New patients on the Evaluate page: a table is brought, its columns and levels matched, the frozen model judged."""
