"""Turn training errors into the kinds that scikit-learn's conventions require."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nnjit.errors import CompileError, Diverged, Interrupted, UserError


class InvalidParameter(ValueError, TypeError):
    """A parameter of an estimator has a wrong type or value."""


@contextmanager
def as_value_errors(places: Mapping[str, str]) -> Iterator[None]:
    """Raise training errors as ValueError, about parameters instead of options.

    Args:
        places: an option's config path, as in messages -> the parameter that sets it.
    """
    try:
        yield
    except UserError as error:
        lines = [_line(line, places) for line in error.message.split("\n")]
        kind = InvalidParameter if any(name for name, _ in lines) else ValueError
        raise kind("\n".join(dict.fromkeys(line for _, line in lines))) from error
    except (Diverged, CompileError) as error:
        raise ValueError(str(error)) from error
    except Interrupted as error:
        raise KeyboardInterrupt(str(error)) from None


def _line(line: str, places: Mapping[str, str]) -> tuple[str, str]:
    """The parameter that a line of a message refers to, or "", and the line with the parameter's name."""
    path, colon, rest = line.partition(": ")
    if colon and re.fullmatch(r"[\w.\[\]]+", path):
        for option in sorted(places, key=len, reverse=True):
            if path == option or path.startswith((f"{option}.", f"{option}[")):
                name = places[option]
                return name, f"{name}{path.removeprefix(option)}: {rest}"
    return "", line
