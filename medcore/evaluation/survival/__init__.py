"""The honest judgement of risks by a time, of patients followed for unequal times, other events competing or not.

``performance.evaluate_at_horizons`` gathers the figures; ``horizon`` says whose outcome is known by a time and
for how many each stands, ``discrimination``, ``calibration`` and ``utility`` judge the risks by it, ``incidence``
shows what happened to groups of patients. Durations and horizons are in one unit, whichever it is; events are 0
censored, 1 the event, 2 and above competing events, as in :mod:`medcore.statistics.survival`.
"""
