"""What people write down of a table's columns: the data dictionary, REDCap's, and codebooks of any form."""
