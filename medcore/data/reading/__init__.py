"""A file becomes a Cohort: compression, encoding, delimiter, header, rows.

Begin at ``table.read_table``. Text tables and typed files (spreadsheets, Parquet,
Stata, SAS, SPSS) end in the same place: cells as they were written, and a schema.
May know values and schema; nothing outside reading knows how a file was read but by
the ``Source`` of its cohort.
"""
