"""Charts of single patients: what the model would say to other values, and courses of those it is used for."""
