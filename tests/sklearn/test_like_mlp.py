"""scikit-learn's own tests of its MLP, run with networks of nnjit.

`LEFT_OUT` says why some of its tests are not run.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest

from tests.sklearn import mlp

theirs = pytest.importorskip("sklearn.neural_network.tests.test_mlp", reason="not in this scikit-learn")

# fmt: off
LEFT_OUT = {
    "test_fit": "sets private arrays of an MLP",
    "test_gradient": "calls a private method of an MLP; tests/training/test_gradient_check.py does the same",
    "test_learning_rate_warmstart": "reads the rate in a private object of an MLP",
    "test_adaptive_learning_rate": "reads the rate in a private object of an MLP",
    "test_n_iter_no_change": "reads a private counter of an MLP",
    "test_n_iter_no_change_inf": "reads a private counter of an MLP",
    "test_early_stopping": "reads validation scores; a network watches the validation loss",
    "test_mlp_early_stopping_string_labels": "reads validation scores",
    "test_mlp_warm_start_with_early_stopping": "reads validation scores, which go on from fit to fit",
    "test_mlp_diverging_loss": "wants no error of a training that diverges, which ours is",
    "test_lbfgs_classification_maxfun": "there is no max_fun, and no warning",
    "test_lbfgs_regression_maxfun": "there is no max_fun, and no warning",
    "test_mlp_warm_start_no_convergence": "wants a warning after the last epoch, which was asked for",
    "test_nonfinite_params": "asks for the words of an error",
    "test_early_stopping_stratified": "asks for the words of an error; a class of one row is trained on here",
    "test_minimum_input_sample_size": "asks for the words of an error",
    "test_verbose_sgd": "asks for lines on standard output; ours is a bar in a terminal",
    "test_mlp_param_dtypes": "wants the type of X in the weights; ours is the parameter dtype",
    "test_preserve_feature_names-0": "fits a classifier to one class, which ours refuses",
}
# fmt: on


def cases() -> Iterator[Any]:
    """Each of its tests with each set of arguments."""
    for name, test in vars(theirs).items():
        if not name.startswith("test_") or not isinstance(test, FunctionType) or name in LEFT_OUT:
            continue
        marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
        for k, chosen in enumerate(itertools.product(*(m.args[1] for m in marks))):
            arguments: dict[str, Any] = {}
            for mark, values in zip(marks, chosen, strict=True):
                names = [n.strip() for n in mark.args[0].split(",")]
                arguments |= dict(zip(names, values if len(names) > 1 else (values,), strict=True))
            if f"{name}-{k}" not in LEFT_OUT:
                yield pytest.param(test, arguments, id=f"{name}-{k}" if marks else name)


def ours(value: Any) -> Any:
    """A network instead of an MLP."""
    return getattr(mlp, value.__name__) if value in (theirs.MLPClassifier, theirs.MLPRegressor) else value


CASES = list(cases())


@pytest.mark.parametrize(("test", "arguments"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_a_network_does_as_an_mlp_does(
    test: FunctionType, arguments: dict[str, Any], request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = {name: ours(value) if isinstance(value, type) else value for name, value in arguments.items()}
    for name in ("MLPClassifier", "MLPRegressor"):
        monkeypatch.setattr(theirs, name, getattr(mlp, name))
    for name in inspect.signature(test).parameters:
        if name == "global_random_seed":
            given[name] = 0
        elif name not in given:
            given[name] = request.getfixturevalue(name)
    test(**given)


def test_what_is_left_out_is_there() -> None:
    assert all(hasattr(theirs, name.partition("-")[0]) for name in LEFT_OUT)
