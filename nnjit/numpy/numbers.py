"""Numeric options: Python floats, or traced values while a step that takes them as inputs is traced.

0 and 1 are never traced (`Number` in `nnjit/registry.py`), so code can branch on them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from nnjit.ir import Node
from nnjit.numpy.elementwise import log, sqrt
from nnjit.numpy.promotion import as_number


def is_exactly(number: Any, value: float) -> bool:
    """Whether a number or array is `value`, 0 or 1, throughout; a traced one is neither."""
    return not isinstance(number, Node) and bool(numpy.all(number == value))


def log_of(number: Any) -> Any:
    """The natural logarithm of a number > 0, as a number."""
    return as_number(log(number)) if isinstance(number, Node) else math.log(number)


def sqrt_of(number: Any) -> Any:
    """The square root of a number >= 0, as a number."""
    return as_number(sqrt(number)) if isinstance(number, Node) else math.sqrt(number)
