"""Names of packages, and methods, that are imported when first used, so that they cost nothing until then."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562).

    Args:
        homes: exported name -> the module that defines it.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return find


def lazy_method(module: str, name: str) -> Callable[[Any], Any]:
    """A method that calls a function of a later room with its object, imported at the first call.

    It is for how a value is shown, which the room that makes it does not know.
    """

    def method(self: Any) -> Any:
        return getattr(importlib.import_module(module), name)(self)

    return method
