"""Architectures: what a network is made of, as settings and as tensors.

Knows nothing of training, tables or bundles.
"""
