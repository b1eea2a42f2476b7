"""`nnjit help`: the reference of a config, without a browser."""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say

WIDEST = 110  # characters; longer lines are hard to read

_WHAT = "A layer, a loss or the like, such as dense; or an option, such as training.early_stopping."
_Name = Annotated[str | None, typer.Argument(metavar="NAME", help=_WHAT)]


def help(name: _Name = None) -> None:
    """Print the help of an option, a layer, a loss, or anything else that a config can name.

    Without a name, list them all.
    """
    with exit_status():
        from nnjit.config.help import Help

        found = Help(min(shutil.get_terminal_size().columns, WIDEST))
        say(found.overview() if name is None else found.about(name))
