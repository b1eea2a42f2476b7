"""Load the page templates, with the colours, filters and file names that they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.durable import replace_files
from nnjit.errors import RunError, reason, shell_word
from nnjit.report.pictures.style import THEME
from nnjit.runs import file_names

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

_LONG = re.compile(r"[^\s<>&;]{8,}")  # words that may be too long for a column
_JOINTS = re.compile(r"([_=/])(?=[^\W_])|(\.)(?=[^\W\d_])")
_CODE = re.compile(r"`([^`]+)`")


def template(name: str) -> Template:
    """Load a page's template, which escapes everything from a run's files."""
    return _environment().get_template(name)


def write_page(path: Path, page: str, beside: Mapping[str, bytes] | None = None) -> None:
    """Write a page; bytes of a path that are not text appear as `?`.

    Args:
        beside: other files for the same folder, by name, written after the page.

    Raises:
        RunError: it cannot be written.
    """
    try:
        replace_files(path.parent, {path.name: page.encode("utf-8", "replace"), **(beside or {})})
    except OSError as error:
        raise RunError(f"the page cannot be written ({reason(error)})") from None


def breakable(text: object) -> Markup:
    """Turn text into HTML with optional line breaks inside long names, and none inside percentages.

    >>> print(breakable("average_pool_1 <b>"))
    average_<wbr/>pool_<wbr/>1 &lt;b&gt;
    """
    from markupsafe import Markup, escape

    html = _LONG.sub(lambda word: _JOINTS.sub(r"\g<0><wbr/>", word[0]), str(escape(text)))
    return Markup(html.replace(" %", "\u00a0%"))


def marked(text: object) -> Markup:
    """Turn text into HTML, with text in backticks as code.

    >>> print(marked("as `threshold` asks"))
    as <code>threshold</code> asks
    """
    from markupsafe import Markup, escape

    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("nnjit.report", package_path="pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    light, dark = zip(*THEME.values(), strict=True)
    environment.filters |= {"pyrepr": repr, "shellquote": shell_word}
    environment.filters |= {"breakable": breakable, "marked": marked}
    environment.globals["file_names"] = file_names
    environment.globals["themes"] = {
        "light": dict(zip(THEME, light, strict=True)),
        "dark": dict(zip(THEME, dark, strict=True)),
    }
    return environment
