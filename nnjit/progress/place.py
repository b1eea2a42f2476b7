"""Choose a display for the process: a notebook, a terminal, or a log file."""

from __future__ import annotations

import sys

from nnjit.progress.display import Display


def display_for(quiet: bool | None) -> Display:
    """The display for the process: in a notebook, a terminal, or a log file.

    Args:
        quiet: whether to show nothing; None shows something only in a notebook.
    """
    if quiet or sys.stderr is None:
        return Display()
    if is_notebook():
        from nnjit.progress.notebook import Notebook

        return Notebook()
    if quiet is None:
        return Display()
    if sys.stderr.isatty():
        from nnjit.progress.terminal import Terminal

        return Terminal()
    from nnjit.progress.lines import Lines

    return Lines()


def is_notebook() -> bool:
    """Whether this process is a notebook kernel."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None
