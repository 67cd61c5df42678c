"""Tables with one row a result: recognised, and made one row a patient by a form."""
