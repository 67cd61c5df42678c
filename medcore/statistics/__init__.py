"""Statistics on plain arrays: the one logit, log loss, AUROC, logistic fit and sample size of the house.

Bottom of everything: numpy and scipy only. Whoever needs one of these numbers calls
it here; nobody computes it again.
"""
