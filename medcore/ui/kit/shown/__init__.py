"""What pages show and ask with: charts, tables, notes and fields that can be taken along."""
