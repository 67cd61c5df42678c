"""From a file's bytes to patients ready to learn from.

``reading`` → ``values`` → ``schema`` → ``preparation`` → ``splitting``; beside them what
describes a cohort (``describe``) and what is wrong with it (``quality``, ``privacy``).
The room knows errors, settings and languages, and nothing of models or pages.
"""
