"""A document as data, and the formats it is written in: PDF, DOCX, HTML.

Knows nothing of what a document says.
"""
