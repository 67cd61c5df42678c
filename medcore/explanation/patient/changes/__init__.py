"""Other values of a patient: what the model would say to them, and which would carry the patient across the threshold."""
