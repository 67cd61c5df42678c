"""Between which counts a share stays by chance alone, when it was counted before."""

from __future__ import annotations

import numpy as np

_REACH = 14.0


def predicted_counts(events: int, of: int, n: int, rate: float) -> tuple[int, int]:
    """Return the counts between which ``n`` further patients stay, but for a chance of at most ``rate``.

    ``events`` of ``of`` earlier patients had it. Exact: a count beyond is one for which Fisher's test of both
    shares has a one-sided p-value below half the rate, the tail of a beta-binomial (Thatcher 1964, J R Stat Soc B
    26:176).

    >>> predicted_counts(50, 1000, 200, 0.05)
    (4, 17)
    """
    high = n if events == of else _most(events + 1, of - events, n, rate / 2)
    low = 0 if events == 0 else n - _most(of - events + 1, events, n, rate / 2)
    return low, high


def _most(a: float, b: float, n: int, rate: float) -> int:
    """Return the largest count k of ``n`` with P(X ≥ k) of at least the rate, X a beta-binomial with ``a`` and ``b``.

    Only counts within :data:`_REACH` standard deviations of the mean are summed up: what lies beyond adds nothing.
    """
    from scipy.special import betaln, gammaln

    mean = n * a / (a + b)
    reach = _REACH * np.sqrt(mean * (b / (a + b)) * (1 + (n - 1) / (a + b + 1))) + _REACH
    k = np.arange(max(int(mean - reach), 0), min(int(mean + reach), n) + 1.0)
    log = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + betaln(k + a, n - k + b) - betaln(a, b)
    tail = np.cumsum(np.exp(log)[::-1])[::-1]
    beyond = np.flatnonzero(tail < rate)
    return int(k[beyond[0]]) - 1 if len(beyond) else n


def predicted_volume(usual: float, rate: float, *, factor: float = 2.0) -> tuple[int, int]:
    """Return between which counts a month's patients lie unless fewer than half or more than twice the ``usual`` come.

    Patients do not come by chance alone (seasons, holidays), so that only what even a Poisson count around
    ``usual`` / ``factor``, or around ``usual`` · ``factor``, would hardly give counts as beyond.
    """
    from scipy.special import pdtr

    counts = np.arange(int(usual * factor + 10 * np.sqrt(usual * factor) + 20))
    fewer = pdtr(counts, usual / factor)
    more = 1 - pdtr(counts - 1, usual * factor)
    low = int(np.sum(fewer < rate / 2))
    high = int(np.argmax(more < rate / 2)) - 1 if (more < rate / 2).any() else len(counts)
    return low, high
