"""Make threads share vectors that are too short to be worth it."""

import pytest

from nnjit.codegen.plan import kernels
from nnjit.codegen.plan import slices as sharing


def share_short_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count every vector of two or more elements as long."""
    monkeypatch.setattr(kernels, "LONG", 2)
    monkeypatch.setattr(sharing, "LONG", 2)
