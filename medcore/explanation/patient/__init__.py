"""One patient: why this risk, how far to trust it, what if, who is alike.

``worker_queries`` are what a page asks of a worker. May know shapley.
"""
