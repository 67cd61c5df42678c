"""One training run: out-of-fold risks, final models, the locked test set, once.

``training.train`` is the flow, ``results`` what is kept of it, ``advice`` what it says in
words. May know every other part of the room but ``deployed``.
"""
