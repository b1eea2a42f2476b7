"""Translate the validation errors of pydantic into messages, one line each.

`configs/a.yaml:12: model[2].units: expected a whole number >= 1, got "12a"`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnjit.config.document import Data, Document, entry_of, quoted
from nnjit.config.expectation import Expectation
from nnjit.config.schema import Schema, structure
from nnjit.errors import ConfigError, ConfigPath, counted, did_you_mean, shortened

_MOST_SHOWN = 20


def as_config_error(error: ValidationError, document: Document) -> ConfigError:
    """All problems of a config as one error, with one line and location each."""
    root = structure()
    problems: dict[ConfigPath, _Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _path(detail, document)
        problems.setdefault(path, _Problem(path, detail, document, root))
    # The alternative of a union that validation followed furthest is the one that was meant.
    around = {path[:k] for path in problems for k in range(len(path))}
    innermost = [problem for path, problem in problems.items() if path not in around]
    lines = [_WORDINGS.get(p.detail["type"], _unexpected)(p) for p in innermost[:_MOST_SHOWN]]
    if (rest := len(innermost) - _MOST_SHOWN) > 0:
        lines.append(f"and {counted(rest, 'more mistake')}")
    return ConfigError("\n".join(lines))


@dataclass(frozen=True)
class _Problem:
    """One problem; if it is an unknown or missing key, `path` ends with that key."""

    path: ConfigPath
    detail: ErrorDetails
    document: Document
    root: Schema

    @property
    def parent(self) -> ConfigPath:
        return self.path[:-1]

    @property
    def key(self) -> str:
        return str(self.path[-1])

    @property
    def value(self) -> Data:
        return self.document.value(self.path)

    def allowed(self, path: ConfigPath) -> Expectation:
        return Expectation(self.root, self.document.data, path)


def _unknown(problem: _Problem) -> str:
    key = shortened(problem.key)
    near = did_you_mean(key, problem.allowed(problem.parent).options())
    message = f'unknown option "{key}"{near}'
    return problem.document.message_at(problem.parent, message, given=problem.path)


def _missing(problem: _Problem) -> str:
    allowed = problem.allowed(problem.path)
    wanted = f"valid: {', '.join(allowed.types())}" if allowed.types() else f"expected {allowed.described()}"
    return problem.document.message_at(problem.parent, f'missing "{problem.key}"; {wanted}')


def _typeless(problem: _Problem) -> str:
    valid = ", ".join(problem.allowed(problem.path).types())
    return problem.document.message_at(problem.path, f'missing "type"; valid: {valid}')


def _wrong_type(problem: _Problem) -> str:
    path, valid = (*problem.path, "type"), ", ".join(problem.allowed(problem.path).types())
    return problem.document.message_at(
        path, f"expected one of {valid}, got {quoted(problem.document.value(path))}"
    )


def _stated(problem: _Problem) -> str:
    kind = (*problem.path, "type")
    is_about_type = problem.document.value(kind) not in (None, *problem.allowed(problem.path).types())
    message = str(problem.detail["ctx"]["error"])
    return problem.document.message_at(problem.path, message, given=kind if is_about_type else problem.path)


def _unexpected(problem: _Problem) -> str:
    value, allowed = problem.value, problem.allowed(problem.path)
    if isinstance(value, str) and allowed.names():
        message = f'unknown value "{shortened(value)}"{did_you_mean(value, allowed.names())}'
    else:
        message = f"expected {allowed.described()}, got {quoted(value)}"
    return problem.document.message_at(problem.path, message)


_WORDINGS: dict[str, Callable[[_Problem], str]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "union_tag_not_found": _typeless,
    "union_tag_invalid": _wrong_type,
    "value_error": _stated,
}


def _path(detail: ErrorDetails, document: Document) -> ConfigPath:
    """The path of the option that a problem is about.

    pydantic's location also has a step for each union it enters: the name of an alternative, not a key of the
    data.
    """
    path: ConfigPath = ()
    data: Data = document.data
    last = len(detail["loc"]) - 1
    for k, step in enumerate(detail["loc"]):
        if _holds(data, step) or (detail["type"] == "missing" and k == last):
            path, data = (*path, step), entry_of(data, step)
    return path


def _holds(data: Data, key: str | int) -> bool:
    return key in data if isinstance(data, dict) else isinstance(data, tuple) and isinstance(key, int)
