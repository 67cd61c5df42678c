"""Charts of patients whom a released model is used for."""
