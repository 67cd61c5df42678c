"""What a model predicts: the one place that asks how many classes there are.

``Target`` says which class a threshold decides about, which risks are told, and what a
patient is called. Rooms ask it for what they need (``event``, ``told``, ``called``) and
never count classes. ``EventTime`` is the target of an event with a time, ``Number`` that of a number.
Knows nothing but arrays.
"""

from medcore.targets.event_time import EventTime
from medcore.targets.number import Number
from medcore.targets.target import Target

__all__ = ["EventTime", "Number", "Target"]
