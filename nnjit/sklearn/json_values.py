"""Write the parameters of an estimator, and what it learned from y, as JSON, and read them again.

A type that JSON lacks is an object with one key, the name of the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def encode(name: str, value: Any) -> Any:
    """Turn a value into plain data.

    Args:
        name: the value's name in messages.

    Raises:
        ValueError: a value of this type cannot be saved.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Path():
            return str(value)
        case np.generic():
            return value.item()
        case np.ndarray():
            kind = "object" if value.dtype.kind in "OT" else value.dtype.str
            return {"array": [kind, encode(name, value.tolist())]}
        case tuple():
            return {"tuple": [encode(name, item) for item in value]}
        case list():
            return [encode(name, item) for item in value]
        case Mapping():
            return {"mapping": [[encode(name, k), encode(name, v)] for k, v in value.items()]}
    kind = type(value).__name__
    raise ValueError(f"{name} is a {kind}, which cannot be saved; set it to numbers, text, lists or mappings")


def decode(content: Any) -> Any:
    """Restore a value from `encode`."""
    match content:
        case {"array": [str(kind), list(values)]}:
            return np.array([decode(item) for item in values], kind)
        case {"tuple": list(items)}:
            return tuple(map(decode, items))
        case {"mapping": list(pairs)}:
            return {decode(key): decode(value) for key, value in pairs}
        case list():
            return [decode(item) for item in content]
    return content
