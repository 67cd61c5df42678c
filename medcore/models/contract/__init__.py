"""What every learner is given and gives back: Task, Part, settings, progress.

Bottom of the room: imports no TensorFlow and no learner.
"""
