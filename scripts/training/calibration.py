"""Turn the tagger's scores into probabilities that can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KNOTS = 10


def curve(scores: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """A rising piecewise linear curve from score (0 to 1) to the share that was right.

    Equal-sized groups by score, made monotone by pooling neighbours (isotonic regression).
    """
    order = np.argsort(scores, kind="stable")
    groups = np.array_split(order, min(KNOTS, len(order)))
    x = [float(np.mean(np.asarray(scores)[group])) for group in groups]
    y = [float(np.mean(np.asarray(right, dtype=float)[group])) for group in groups]
    pools: list[list[float]] = []  # mean, weight, how many knots
    for value, group in zip(y, groups, strict=True):
        pools.append([value, float(len(group)), 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            upper, lower = pools.pop(), pools.pop()
            weight = lower[1] + upper[1]
            mean = (lower[0] * lower[1] + upper[0] * upper[1]) / weight
            pools.append([mean, weight, lower[2] + upper[2]])
    rising = [mean for mean, _, number in pools for _ in range(int(number))]
    knots = [(0.0, rising[0]), *zip(x, rising, strict=True), (1.0, rising[-1])]
    return [(round(a, 4), round(b, 4)) for a, b in knots]


def apply(knots: Sequence[tuple[float, float]], scores: Sequence[float]) -> list[float]:
    """The probabilities of scores, read off the curve."""
    x, y = zip(*knots, strict=True)
    return [float(value) for value in np.interp(scores, x, y)]


def expected_error(probabilities: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width."""
    said, true = np.asarray(probabilities), np.asarray(right, dtype=float)
    places = np.minimum((said * bins).astype(int), bins - 1)
    total = 0.0
    for place in range(bins):
        here = places == place
        if here.any():
            total += here.sum() * abs(said[here].mean() - true[here].mean())
    return float(total / len(said))
