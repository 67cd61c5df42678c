"""Released models answer other programs: over HTTP, as CDS Hooks cards, with FHIR resources in and out.

A process of its own (``python -m medcore serve``), on loopback by default. It knows every room but the
pages, answers only who shows a token, in the name of the person who made it, and keeps what it
answered in the register of the model. The numbers are those of the shell and of the pages.
"""
