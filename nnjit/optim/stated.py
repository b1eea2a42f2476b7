"""Options that state their equations."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from nnjit.registry import Options


class Stated(Options):
    """Options with their equations in a class field, which `python -OO` keeps, unlike docstrings.

    A class's docstring begins with its equations, for `help` and the JSON Schema.
    """

    equations: ClassVar[tuple[str, ...]] = ()
    """The equations, in order of computation."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "equations" in cls.__dict__:
            more = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
            cls.__doc__ = f"{';  '.join(cls.equations)}.\n\n{more}".rstrip()
