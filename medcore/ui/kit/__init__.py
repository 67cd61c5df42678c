"""What every page is made of: state, guards, cache, figures, tables, words.

``from medcore.ui.kit import components`` is what pages use. Knows no page.
"""
