"""Load the pages' templates, with the colours, filters and file names that all of them use."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.errors import RunError, reason
from nnjit.report.pictures.style import THEME
from nnjit.runs import file_names
from nnjit.runs.writing import write_atomically

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def template(name: str) -> Template:
    """A page's template, which escapes everything from a run's files."""
    return _environment().get_template(name)


def write_page(path: Path, page: str) -> None:
    """Write a page; a byte of a path that is not text is `?` in it.

    Raises:
        RunError: it cannot be written.
    """
    try:
        write_atomically(path, page.encode("utf-8", "replace"))
    except OSError as error:
        raise RunError(f"the page cannot be written ({reason(error)})") from None


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("nnjit.report", package_path="pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    light, dark = zip(*THEME.values(), strict=True)
    environment.filters |= {"pyrepr": repr, "shellquote": shlex.quote}
    environment.globals["file_names"] = file_names
    environment.globals["themes"] = {
        "light": dict(zip(THEME, light, strict=True)),
        "dark": dict(zip(THEME, dark, strict=True)),
    }
    return environment
