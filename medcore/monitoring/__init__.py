"""A model in use, watched month by month: predictions in time in, frozen results out.

``watched`` is what is watched (risks, values, outcomes as they become known), ``chart`` a figure of each
month between its limits, ``values``, ``use`` and ``outcomes`` the charts, ``judged`` how good a model is by what it
predicts, ``running`` the CUSUMs, ``expected`` what performance is to be expected before outcomes are known, ``alarms`` what is
told, ``watch`` all of it, ``table`` and ``kept`` a table of past patients and kept predictions made into what is watched.
Knows evaluation, statistics, data and targets, ``table`` and ``kept`` models too.
"""
