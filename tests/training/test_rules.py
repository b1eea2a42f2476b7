"""Layers and losses with custom rules, branches, loops and checkpoints, in compiled training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
import nnjit.numpy as nnp
from nnjit.autodiff import checkpoint, cond, custom_jvp, custom_vjp, switch, while_loop
from nnjit.nn.activations import ACTIVATIONS, Activation
from nnjit.nn.initializers import GlorotUniform
from nnjit.nn.losses.values import SquaredError
from nnjit.runs import file_names

from .conftest import LINE


@custom_vjp
def quartered(x: Any) -> Any:
    """The identity with a quarter of its derivative."""
    return x


quartered.defvjp(lambda x: (x, None), lambda _, g: (0.25 * g,))


@custom_jvp
def doubled(x: Any) -> Any:
    """The identity with twice its derivative."""
    return x


doubled.defjvp(lambda primals, tangents: (doubled(*primals), 2.0 * tangents[0]))


def doubled_again(x: Any) -> Any:
    """The same, in a branch that is always taken; the other one is all NaN."""
    return cond(nnp.sum(x * x) >= 0, checkpoint(doubled), lambda x: nnp.log(-1.0 - x * x), x)


def unchanged(x: Any) -> Any:
    """The identity, in the branch with an index computed by a loop of two steps."""
    two = while_loop(lambda n: n * n < 4.0 + nnp.sum(x * x) * 0.0, lambda n: n + 1, 0)
    return switch(two, [lambda x: x / 0.0, lambda x: nnp.log(-1.0 - x * x), lambda x: x], x)


def test_rules_in_a_layer_and_a_loss_train_as_they_say(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter, times two, times two: the training of the plain network."""
    nnjit.fit(LINE, output=folder / "plain")
    squared = SquaredError.__call__
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(quartered, GlorotUniform()))
    monkeypatch.setattr(
        SquaredError, "__call__", lambda self, o, t: squared(self, unchanged(doubled(doubled_again(o))), t)
    )
    model = [{"type": "dense", "units": 1, "name": "only", "activation": "tanh"}]
    nnjit.fit({**LINE, "model": model}, output=folder / "ruled")
    one, other = (load_file(folder / name / file_names.LAST) for name in ("plain", "ruled"))
    assert one.keys() == other.keys()
    for name, weights in one.items():  # the sum of the predicate is a phase more: products fuse otherwise
        np.testing.assert_allclose(other[name], weights, rtol=1e-13)
