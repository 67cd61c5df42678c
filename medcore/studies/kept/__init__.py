"""What a study keeps as files: sealed, in Parquet, under the hash of its contents; tables of patients read and written."""
