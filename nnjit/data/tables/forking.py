"""Refuse to use polars in a process forked from one that has used it: it would hang."""

from __future__ import annotations

import os

from nnjit.errors import DataError

_users: set[int] = set()  # processes that have used polars: this one or its ancestors


def check_not_forked(name: str) -> None:
    """Raise DataError in a forked process, which has the locks of polars' threads but not the threads."""
    if _users - {os.getpid()}:
        raise DataError(
            f"{name}: this process was forked from one that has read a table, so reading another would hang; "
            'start it with multiprocessing.get_context("spawn"), or read tables only after the fork',
            ("file",),
        )
    _users.add(os.getpid())
