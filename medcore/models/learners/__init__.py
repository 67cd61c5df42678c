"""The models: a file each, whose ``CANDIDATES`` are found by being there; a learner takes a Task.

May know the contract and coalitions, and the network ones the trainer.
"""
