"""Statistical process control: whether what is counted month after month is still what it was.

``cusum`` sums up the evidence patient by patient (Steiner 2000), ``shares`` says what a share may
be by chance, ``cells`` how far counts in cells are apart. Plain arrays; may know the rest of statistics.
"""
