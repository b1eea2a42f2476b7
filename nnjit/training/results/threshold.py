"""Choose the probability above which an example is assigned to the second of two classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnjit.data import AnyPart
from nnjit.experiment.threshold import LeastCost
from nnjit.training.graphs.decoding import SingleDecoder
from nnjit.training.results.measuring import Values, decided_values
from nnjit.training.setup.setup import Setup


def with_threshold(setup: Setup, theta: np.ndarray) -> Setup:
    """Give the setup a decoder with the config's threshold; return it unchanged if there is none.

    A rule chooses the threshold on the validation part; if its predictions are not finite, there is none.
    """
    rule, decoder = setup.experiment.threshold, setup.decoder
    if rule is None or not isinstance(decoder, SingleDecoder):
        return setup
    if isinstance(rule, float):
        chosen: float | None = rule
    else:
        part = setup.splits["validation"]  # ensured by `check_threshold`
        p = positive_probability(setup, theta, part)
        weight = part.w.astype(np.float64)
        is_finite = bool(np.isfinite(p).all())
        chosen = choose(rule, p, part.all_targets == 1, weight) if is_finite else None
    return replace(setup, outputs=replace(setup.outputs, decoder=replace(decoder, threshold=chosen)))


def choose(rule: str | LeastCost, p: np.ndarray, is_true: np.ndarray, weight: np.ndarray) -> float:
    """The best threshold for the examples; of several, the nearest to 1/2.

    It is midway between two probabilities that occur, or between one of them and 0 or 1.

    >>> choose("best_f1", np.array([0.1, 0.2, 0.4, 0.9]), np.array([0, 1, 0, 1]) > 0, np.ones(4))
    0.15000000000000002

    Args:
        p: (n,) the probability of the second class.
        is_true: (n,) whether the example belongs to it.
        weight: (n,) how much the example counts.
    """
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))  # of runs of ties
    hits, taken = (np.append(0.0, np.cumsum(w[order])[ends]) for w in (weight * is_true, weight))
    values = np.concatenate([[1.0], ranked[ends], [0.0]])
    thresholds = (values[1:] + values[:-1]) / 2
    misses = hits[-1] - hits
    if isinstance(rule, LeastCost):
        loss = rule.cost.false_positive * (taken - hits) + rule.cost.false_negative * misses
    else:
        loss = -2 * hits / np.maximum(taken + hits[-1], np.finfo(float).tiny)
    is_possible = (thresholds > 0) & (thresholds < 1)
    loss, thresholds = loss[is_possible], thresholds[is_possible]
    best = thresholds[loss <= loss.min() + 1e-12 * abs(loss.min())]  # last bits of sums differ
    return float(best[abs(best - 0.5).argmin()])


def positive_probability(setup: Setup, theta: np.ndarray, part: AnyPart) -> np.ndarray:
    """The probability (n,) of the second class for the rows of a part, in float64."""
    decoder = setup.decoder
    assert isinstance(decoder, SingleDecoder)
    blocks = (setup.compiled.predict(theta, block.x) for block in part.blocks())
    return np.concatenate([decoder.scores(block)[:, 1] for block in blocks]).astype(np.float64)


def values_at_threshold(setup: Setup, theta: np.ndarray, part: AnyPart) -> Values:
    """The metrics of decisions with the decoder's threshold; empty without one."""
    decoder = setup.decoder
    if not isinstance(decoder, SingleDecoder) or decoder.threshold is None:
        return {}
    p = positive_probability(setup, theta, part)
    is_taken, weight = p > decoder.threshold, part.w.astype(np.float64)
    return decided_values(setup.task.metrics, is_taken, part.all_targets, weight)
