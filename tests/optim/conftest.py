"""Fixtures for the tests of optimizers."""

from collections.abc import Callable

import numpy as np
import pytest

from nnjit.autodiff import trace
from nnjit.ir import interpret, type_of, verify


@pytest.fixture
def traced() -> Callable[..., list[np.ndarray]]:
    """Trace a function of the types of arrays, verify the graph and interpret it."""

    def run(f: Callable[..., object], *arrays: np.ndarray) -> list[np.ndarray]:
        graph = verify(trace(f, [type_of(a) for a in arrays]))
        return interpret(graph, [np.asarray(a) for a in arrays])

    return run
