"""Studies, runs, bundles and the audit trail, kept in a database and a file store."""
