"""Statistics on plain arrays: each is computed here, once, and everything else calls it.

``logistic`` has the one logit and logistic regression, ``scores`` the log loss, ``ranking``
the AUROC and average precision, ``calibration`` slope and intercept, ``proportions`` Wilson's
interval, ``differences`` standardised differences, ``sample_size`` Riley's criteria,
``survival`` the same for outcomes with a time, ``control`` whether what is counted again and again is still what it was,
and ``expected`` how good risks must be if they are right. Knows numpy and scipy only; no cohort, no
model, no page.
"""
