"""What may be typed after ``python -m medcore``: one function a command, in three files by what it is about."""
