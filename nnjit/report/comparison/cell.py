"""Show a comparison in a notebook: the loss of all runs on common axes, and a table of results."""

from __future__ import annotations

import numpy as np

from nnjit.progress.curve import Line, curve_svg
from nnjit.progress.html import card, table
from nnjit.report.comparison.summary import Comparison, caveat, differences
from nnjit.report.comparison.table import headline, ranked, results
from nnjit.report.pictures.style import CLASS_COLORS

LONGEST = 11  # characters of a name next to a curve: the last ones, where nnjit's own names differ


def comparison_text(comparison: Comparison) -> str:
    """The headline in one line."""
    return f"Comparison of {', '.join(comparison.labels)}: {headline(comparison)}"


def comparison_html(comparison: Comparison) -> str:
    """The headline, the curves, the results and the options that differ."""
    columns, rows = results(comparison)
    parts = [curve_svg(_lines(comparison)), table(columns, rows)]
    if differing := differences(comparison):
        parts.append(table(["option", *comparison.labels], differing))
    lines = [line for line in (caveat(comparison),) if line]
    return card(headline(comparison), lines, parts)


def _lines(comparison: Comparison) -> list[Line]:
    """The loss curve of each run: the validation loss if all have one, else the training loss."""
    histories = [entry.run.history for entry in ranked(comparison)]
    is_held_out = all(np.isfinite(history["validation_loss"]).any() for history in histories)
    column = "validation_loss" if is_held_out else "train_loss"
    return [
        Line(
            _shortened(entry.label),
            CLASS_COLORS[k % len(CLASS_COLORS)],
            entry.run.history.epoch,
            entry.run.history[column],
        )
        for k, entry in enumerate(ranked(comparison))
    ]


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST else f"…{label[1 - LONGEST :]}"
