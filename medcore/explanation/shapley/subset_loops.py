"""The loops of the regression-adjusted estimator that numpy cannot express; numba compiles them at their first call.

Throughout, a background row has d players, ``players[b, :d]``, and a surrogate
risk that is a logistic function of ``start[b]`` plus the sum of ``weights[b, i]``
over the players i of a coalition.
"""

from __future__ import annotations

import numpy as np

from medcore.models.coalitions.compiling import compiled

N_SIZES = 12
"""Coalitions of so many players or more on their smaller side are not told apart by size."""


@compiled
def draw(players, counts, chances, start, weights, edges, accepted, n, seeds):  # type: ignore[no-untyped-def]
    """Draw ``n`` coalitions a background row and keep each with the chance ``accepted[kind]``.

    ``chances[d]`` (P + 1,) is the cumulative chance of each size. The kind is the
    rank of how undecided the surrogate is (``edges``) and the size of the smaller
    side. Returns rows, masks (uint8), sizes, kinds, 1 / (chance of the size · chance kept),
    and by how much the surrogate risk is above that of the opposite coalition.
    """
    m, P = players.shape
    most = n * m
    rows, masks = np.empty(most, np.int64), np.zeros((most, P), np.uint8)
    sizes, kinds = np.empty(most, np.int64), np.empty(most, np.int64)
    factors, leans = np.empty(most, np.float64), np.empty(most, np.float64)
    at = 0
    for b in range(m):
        d = counts[b]
        if d < 2:
            continue
        whole = 2.0 * start[b]
        for j in range(d):
            whole += weights[b, players[b, j]]
        x = seeds[b]
        for _ in range(n):
            x, u = _uniform(x)
            s = 1
            while u >= chances[d, s] and s < d - 1:
                s += 1
            left, t = s, start[b]
            masks[at, :] = 0
            for j in range(d):  # without a branch: which way it went could not be foreseen
                x, u = _uniform(x)
                inside = int(u * (d - j) < left)
                left -= inside
                p = players[b, j]
                masks[at, p] = inside
                t += weights[b, p] * inside
            g, h = 1.0 / (1.0 + np.exp(-t)), 1.0 / (1.0 + np.exp(t - whole))
            kind = np.searchsorted(edges, g * (1.0 - g) + h * (1.0 - h)) * (N_SIZES + 1) + min(s, d - s, N_SIZES)
            x, u = _uniform(x)
            if u < accepted[kind]:
                rows[at], sizes[at], kinds[at] = b, s, kind
                factors[at] = 1.0 / ((chances[d, s] - chances[d, s - 1]) * accepted[kind])
                leans[at] = g - h
                at += 1
    masks[at:, :] = 0
    return rows[:at], masks[:at], sizes[:at], kinds[:at], factors[:at], leans[:at]


@compiled
def _uniform(x):  # type: ignore[no-untyped-def]
    """Step Marsaglia's xorshift64* (Vigna, 2016); the new state and a number in [0, 1)."""
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    return x, float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * 1.1102230246251565e-16


@compiled
def add(rows, masks, sizes, values, players, counts, sums, squares):  # type: ignore[no-untyped-def]
    """Credit what a coalition and its opposite differ by to the players, and note the squares: (m, P) both."""
    for e in range(rows.shape[0]):
        b = rows[e]
        inside, outside = values[e] / sizes[e], -values[e] / (counts[b] - sizes[e])
        for j in range(counts[b]):
            p = players[b, j]
            x = inside if masks[e, p] else outside
            sums[b, p] += x
            squares[b, p] += x * x


@compiled
def logistic_values(players, counts, start, weights, nodes, shares, found):  # type: ignore[no-untyped-def]
    """Write the Shapley values (m, P) of logistic functions of sums of weights into ``found``.

    A Shapley value is the integral over q of the expected step of a player when
    every other one is there with chance q (Owen, 1972): a polynomial in q, which
    Gauss's ``nodes`` and ``shares`` integrate. The expectation is a product for
    each wave of a Fourier series of the logistic function, exact to about 1e-7.
    """
    P = players.shape[1]
    re, im, step_re, step_im = np.empty(P), np.empty(P), np.empty(P), np.empty(P)
    for b in range(players.shape[0]):
        d = counts[b]
        low = high = start[b]
        for j in range(d):
            w = weights[b, players[b, j]]
            low += min(w, 0.0)
            high += max(w, 0.0)
        period = 2.0 * max(abs(low), abs(high)) + 34.0
        for wave in range(1, int(5.7 * period / (2.0 * np.pi)) + 2, 2):
            omega = 2.0 * np.pi * wave / period
            size = 4.0 * np.pi / (period * np.sinh(np.pi * omega))
            for j in range(d):
                angle = omega * weights[b, players[b, j]]
                re[j], im[j] = np.cos(angle) - 1.0, np.sin(angle)
                step_re[j] = step_im[j] = 0.0
            begin_re, begin_im = size * np.cos(omega * start[b]), size * np.sin(omega * start[b])
            for k in range(nodes.shape[0]):
                q = nodes[k]
                all_re, all_im = begin_re * shares[k], begin_im * shares[k]
                for j in range(d):
                    x, y = 1.0 + q * re[j], q * im[j]
                    all_re, all_im = all_re * x - all_im * y, all_re * y + all_im * x
                for j in range(d):
                    x, y = 1.0 + q * re[j], q * im[j]
                    share = 1.0 / (x * x + y * y)
                    step_re[j] += (all_re * x + all_im * y) * share
                    step_im[j] += (all_im * x - all_re * y) * share
            for j in range(d):
                found[b, players[b, j]] += step_re[j] * im[j] + step_im[j] * re[j]
