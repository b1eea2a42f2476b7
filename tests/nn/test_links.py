"""Saturated probabilities: logarithms and ranks come from the logits, with SciPy's values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import log_expit, log_softmax, logsumexp

from nnjit.nn import build_model, layers
from nnjit.nn.links import LINKS, class_scores, log_odds, log_probabilities

RNG = np.random.default_rng(0)
MILD = RNG.normal(0, 2, (50, 3))
HUGE = 300 + RNG.normal(0, 20, (50, 3))  # the sigmoid of each is 1 in float64 too


def of_sigmoids(z: np.ndarray) -> np.ndarray:
    yes = log_expit(z)
    return yes - logsumexp(yes, axis=1, keepdims=True)


def of_one_sigmoid(z: np.ndarray) -> np.ndarray:
    return np.hstack([log_expit(-z), log_expit(z)])


def of_values(p: np.ndarray) -> np.ndarray:
    p = np.hstack([1 - p, p]) if p.shape[1] == 1 else p
    p = np.maximum(p, np.finfo(p.dtype).eps)
    return np.log(p / p.sum(axis=1, keepdims=True))


# fmt: off
LOGS = [  # link, outputs, log p
    ("softmax",  MILD,                 lambda z: log_softmax(z, axis=1)),
    ("softmax",  HUGE,                 lambda z: log_softmax(z, axis=1)),
    ("sigmoid",  MILD,                 of_sigmoids),
    ("sigmoid",  HUGE,                 of_sigmoids),
    ("sigmoid",  MILD[:, :1],          of_one_sigmoid),
    ("sigmoid",  HUGE[:, :1],          of_one_sigmoid),
    ("sigmoid",  -HUGE[:, :1],         of_one_sigmoid),
    ("identity", RNG.random((50, 3)),  of_values),
    ("identity", RNG.random((50, 1)),  of_values),
    ("identity", np.eye(3),            of_values),
]
# fmt: on


@pytest.mark.parametrize(("link", "z", "expected"), LOGS)
def test_log_probabilities_are_exact_at_any_output(
    link: Any, z: np.ndarray, expected: Callable[..., np.ndarray], traced: Callable[..., np.ndarray]
) -> None:
    wanted = expected(z)
    np.testing.assert_allclose(log_probabilities(z, link), wanted, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(traced(lambda a: log_probabilities(a, link), z), wanted, rtol=1e-12)
    single = log_probabilities(z.astype("f4"), link)
    # float32's ε at a logit of 300 is 2e-5
    np.testing.assert_allclose(single, expected(z.astype("f4")), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("z", [MILD, HUGE, MILD[:, :2], 1000 * MILD])
def test_log_odds_of_a_softmax_are_those_of_each_class_against_the_others(z: np.ndarray) -> None:
    others = [logsumexp(np.delete(z, k, axis=1), axis=1) for k in range(z.shape[1])]
    wanted = z - np.stack(others, axis=1)
    np.testing.assert_allclose(log_odds(z, "softmax"), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("link", LINKS)
def test_scores_are_in_the_order_of_what_is_predicted(link: Any) -> None:
    predicted, odds = np.asarray(LINKS[link](MILD)), log_odds(MILD, link)
    np.testing.assert_array_equal(predicted.argsort(axis=0), odds.argsort(axis=0))
    np.testing.assert_array_equal(
        predicted.argsort(axis=1), np.asarray(class_scores(MILD, link)).argsort(axis=1)
    )
    if link == "softmax":  # which has a class for each output
        return
    one = np.asarray(class_scores(MILD[:, :1], link))
    np.testing.assert_array_equal(one.argmax(axis=1), predicted[:, 0] > 0.5)


def test_scores_of_infinite_outputs_are_nan_or_in_order() -> None:
    ends = np.array([[np.inf, 0.0], [0.0, 0.0], [-np.inf, 0.0]])
    assert log_odds(ends, "softmax")[:, 0].tolist() == [np.inf, 0, -np.inf]
    assert log_odds(ends, "sigmoid")[:, 0].tolist() == [np.inf, 0, -np.inf]
    assert np.isnan(log_odds(np.array([[np.nan, 0.0]]), "softmax")).all()


def layer(**options: object) -> Any:
    return layers[str(options["type"])].model_validate(options)


def dense(activation: str) -> dict[str, Any]:
    return {"type": "dense", "units": 3, "activation": activation}


# fmt: off
LASTS = [  # the last layers, the link that logits omit
    ([dense("sigmoid")],                                                  "sigmoid"),
    ([dense("softmax")],                                                  "softmax"),
    ([dense("tanh")],                                                     "identity"),
    ([dense("identity"), {"type": "activation", "function": "sigmoid"}],  "sigmoid"),
    ([dense("sigmoid"), {"type": "flatten"}],                             "identity"),
]
# fmt: on


@pytest.mark.parametrize(("given", "link"), LASTS)
def test_logits_leave_out_a_last_sigmoid_or_softmax(given: list[dict[str, Any]], link: Any) -> None:
    model = build_model([layer(**options) for options in given], (2,))
    assert model.link_of(model.output) == link
    theta, x = model.initialize(0, "f64"), RNG.normal(size=(4, 2))
    before = model.before_links([model.output]) if link != "identity" else model
    np.testing.assert_allclose(LINKS[link](before(theta, x)), model(theta, x), rtol=1e-12)


def test_a_sigmoid_that_another_layer_reads_stays() -> None:
    shared = layer(type="dense", units=3, activation="sigmoid", name="shared")
    model = build_model([shared, layer(type="dense", units=2, name="last")], (2,))
    assert model.link_of("shared") == "identity"
