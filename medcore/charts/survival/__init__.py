"""Outcomes with a time: risks by each horizon as they were judged, and curves of patients and follow-up."""
