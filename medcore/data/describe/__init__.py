"""What a cohort holds, for people: profile, Table 1, and tables on their way out.

May know everything else in the room.
"""
