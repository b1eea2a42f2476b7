"""Import a package's names, and methods, on first use, so they cost nothing until then."""

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
    """A method that calls a function of a later package with its object, imported at the first call.

    It serves to display a value, which the package that makes it knows nothing about.
    """

    def method(self: Any) -> Any:
        return getattr(importlib.import_module(module), name)(self)

    return method
