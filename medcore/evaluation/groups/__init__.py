"""Whether a model is as good for every kind of patient and at every site.

``grouping`` cuts columns into groups, ``subgroups`` judges each, ``sites`` sums sites up
as a meta-analysis does, ``mistakes`` finds where
the model fails, ``mitigation`` says what treating groups alike would cost.
May know figures and curves.
"""
