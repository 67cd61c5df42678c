"""The models: logistic regression, kernel, trees, networks; a learner takes a Task.

May know the contract, and the network ones the trainer.
"""
