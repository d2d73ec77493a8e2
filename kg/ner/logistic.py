"""A logistic model over named features: a few numbers in a file, read in pure Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: Named features of one thing to decide; those that are absent are 0.
Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class Logistic:
    """Weights by feature."""

    weights: Mapping[str, float]
    bias: float

    def probability(self, features: Features) -> float:
        """Return the probability of yes."""
        weights = self.weights
        score = self.bias
        for name, value in features.items():
            score += weights.get(name, 0.0) * value
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def logit(probability: float) -> float:
    """Return the log odds, within what float32 probabilities can mean."""
    bounded = min(max(probability, 0.001), 0.999)
    return math.log(bounded / (1 - bounded))
