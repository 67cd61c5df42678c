"""The audit trail, and the people in it: for administrators."""
