"""Fixtures for the tests of networks."""

from collections.abc import Callable

import numpy as np
import pytest

from nnjit.autodiff import trace
from nnjit.ir import B, array_type, interpret, verify


@pytest.fixture
def traced() -> Callable[..., np.ndarray]:
    """Trace a function of batches (their first axis is `B`), verify the graph and interpret it."""

    def run(f: Callable[..., object], *arrays: np.ndarray) -> np.ndarray:
        graph = verify(trace(f, [array_type(a.dtype, (B, *a.shape[1:])) for a in arrays]))
        return interpret(graph, arrays)[0]

    return run
