"""scikit-learn's own checks of estimators, all of which pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from nnjit.sklearn import NetworkClassifier, NetworkRegressor

QUICK: dict[str, Any] = {"epochs": 20, "learning_rate": 0.01, "random_state": 0}
# As scikit-learn does for its own networks: batches divide repeated rows differently from weighted ones, and
# float32 lacks the seven digits that are compared.
EXACT = {"batch_size": "full", "dtype": "float64"}
WITH_EXACT = "check_sample_weight_equivalence_on"


@parametrize_with_checks([NetworkClassifier(**QUICK), NetworkRegressor(**QUICK)])
@pytest.mark.filterwarnings("ignore")
def test_a_check_of_scikit_learn_passes(estimator: Any, check: Callable[[Any], None]) -> None:
    of = check.func if isinstance(check, partial) else check
    check(clone(estimator).set_params(**EXACT) if of.__name__.startswith(WITH_EXACT) else estimator)
