"""Numbers of options: Python's floats, or while a step is traced that takes them as inputs, traced ones.

0 and 1 are never traced (`Number` of `nnjit/registry.py`), so what is done for these alone can be decided.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from nnjit.ir import Node
from nnjit.numpy.elementwise import log, sqrt
from nnjit.numpy.promotion import as_number


def is_exactly(number: Any, value: float) -> bool:
    """Whether a number, or an array of them, is `value` throughout, 0 or 1; one that is traced is neither."""
    return not isinstance(number, Node) and bool(numpy.all(number == value))


def log_of(number: Any) -> Any:
    """The natural logarithm of a number > 0, a number again."""
    return as_number(log(number)) if isinstance(number, Node) else math.log(number)


def sqrt_of(number: Any) -> Any:
    """The square root of a number >= 0, a number again."""
    return as_number(sqrt(number)) if isinstance(number, Node) else math.sqrt(number)
