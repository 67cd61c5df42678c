"""The Patients page: those whom a released model is used for, and what is to be done for them."""
