"""What can be measured: units and how they convert, and of each quantity what is plausible.

``units`` and ``ranges`` know no table, no cell and no schema; everything else in the room may know them.
"""
