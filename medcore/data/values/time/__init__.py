"""What a cell says of time: dates, the calendars that count them, ages and durations, in figures and in words."""
