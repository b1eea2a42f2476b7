"""Have threads share vectors that are really too short to be worth it."""

import pytest

from nnjit.codegen.plan import kernels
from nnjit.codegen.plan import slices as sharing


def share_short_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every vector of two elements or more count as long."""
    monkeypatch.setattr(kernels, "LONG", 2)
    monkeypatch.setattr(sharing, "LONG", 2)
