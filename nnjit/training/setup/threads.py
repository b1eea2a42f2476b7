"""Limit BLAS to one thread during training."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread during training, whose own threads share the matrix products."""
    with _libraries(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@functools.lru_cache(maxsize=1)
def _libraries(modules: int) -> ThreadpoolController:
    """The libraries that a process has loaded; finding them takes some milliseconds.

    Args:
        modules: the number of imported modules; new ones may have loaded a library.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
