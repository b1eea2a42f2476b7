"""The search for the tests: a small network on iris, with trials that take milliseconds."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'nnjit[search]'")

RATES = {"optimizer.learning_rate": {"log": [1e-4, 1.0]}}
CONFIG: dict[str, Any] = {
    "name": "flowers",
    "data": {"type": "sklearn", "dataset": "iris", "split": {"validation": 0.3}},
    "model": [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 3}],
    "loss": "softmax_cross_entropy",
    "training": {"epochs": 4},
}


def searching(config: dict[str, Any] = CONFIG, **options: Any) -> dict[str, Any]:
    """A config with this section `search`."""
    return config | {"search": {"trials": 4, "space": RATES} | options}
