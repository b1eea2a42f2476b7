"""The pages' templates, and what all of them know: the colours, and how text is quoted."""

from __future__ import annotations

import shlex
from functools import cache
from typing import TYPE_CHECKING

from nnjit.report.pictures.style import THEME

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def template(name: str) -> Template:
    """A page's template, in which all that comes from a run's files is escaped."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("nnjit.report", package_path="pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    light, dark = zip(*THEME.values(), strict=True)
    environment.filters |= {"pyrepr": repr, "shellquote": shlex.quote}
    environment.globals["themes"] = {
        "light": dict(zip(THEME, light, strict=True)),
        "dark": dict(zip(THEME, dark, strict=True)),
    }
    return environment
