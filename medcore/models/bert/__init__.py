"""A BERT over notes, fine-tuned from weights in a package: what is frozen, what is learnt in each fold, and the part of a bundle.

``layers`` is the arithmetic, ``weights`` what comes from the package, ``segments`` notes as what is read of them,
``fine_tuning`` the loop, ``part`` what a bundle keeps, ``learner`` all of it. Knows rows and the contract of models.
"""
