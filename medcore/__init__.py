"""medcore: clinical risk models that can be trusted, from a table of patients."""
