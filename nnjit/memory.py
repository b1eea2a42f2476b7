"""Measure the memory of this machine, and check that a config's demands fit into it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nnjit.errors import ConfigPath, TooLarge

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""The limits of this control group in bytes (Linux, cgroup v2 and v1), which containers set."""

_SMALL = 2**26  # bytes that fit anywhere


def usable_memory() -> int | None:
    """The bytes of this machine, or the limit of its control group if lower; None if unknown."""
    physical = _physical_memory()
    if physical is None:
        return None
    return min([physical, *(limit for path in LIMITS if (limit := _limit(path)) is not None)])


def check_fits(size: int, what: str, mend: str, path: ConfigPath = ()) -> None:
    """Raise TooLarge if this machine has less memory than `size` bytes.

    Args:
        what: the subject of the message, such as "10 rows".
        mend: the way out.
        path: the option to blame.
    """
    if size <= _SMALL or (memory := usable_memory()) is None or size <= memory:
        return
    raise TooLarge(
        f"{what} would take {gigabytes(size)}, and this machine has {gigabytes(memory)}; {mend}", path
    )


def gigabytes(size: int) -> str:
    """A number of bytes as text.

    >>> gigabytes(2**30), gigabytes(8 * 10**12), gigabytes(10**30)
    ('1.1 GB', '8,000 GB', '1e+21 GB')
    """
    count = size / 1e9
    if count >= 1e9:
        return f"{count:.0e} GB"
    return f"{count:,.{0 if count >= 100 else 1}f} GB"


def _physical_memory() -> int | None:
    if sys.platform == "win32":
        import ctypes

        kib = ctypes.c_ulonglong()
        is_known = ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kib))
        return kib.value * 1024 if is_known else None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except ValueError:  # a system without these names
        return None


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # none, or "max"
        return None
