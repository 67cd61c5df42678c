"""Training of many networks at once as one compiled program: all folds, all seeds.

``train.train_networks`` takes arrays and gives networks; checkpoints make it go on after
an interruption with the same numbers. May know network.
"""
