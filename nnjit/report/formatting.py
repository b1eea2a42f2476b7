"""Format values for readers: numbers, fractions, times, shapes, and the names of losses and metrics."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOT_FINITE = "not finite"
SPLIT_NAMES = {"train": "training", "validation": "validation", "test": "test", "given": "given"}
"""The parts of the data in words; "given" is new data to evaluate."""

# fmt: off
METRIC_NAMES = {
    "f1":       "F1",
    "mae":      "mean absolute error",
    "mape":     "mean absolute percentage error",
    "matthews": "Matthews correlation",
    "mse":      "mean squared error",
    "rmse":     "root mean squared error",
    "roc_auc":  "area under the ROC curve",
    "r2":       "R²",
}
SCORES = {
    "average_precision", "balanced_accuracy", "explained_variance", "f1", "matthews", "precision", "r2",
    "recall", "roc_auc",
}
FRACTIONS = {"accuracy", "binary_accuracy", "top_k"}
ERRORS = {"log_loss", "mae", "mape", "mse", "rmse"}
KINDS = {*METRIC_NAMES, *SCORES, *FRACTIONS, *ERRORS}
# fmt: on
# The column of a metric: its output, if there are several, its kind, and an option.
_COLUMN = re.compile(rf"(?:(.+?)_)??({'|'.join(sorted(KINDS))})(?:_(binary|macro|micro|weighted|\d+))?")

Row = tuple[str, ...]


def sample_note(predicted: int, examples: int, split: str) -> str:
    """A sentence for a caption if only some examples of a part were predicted; empty if all were.

    >>> sample_note(100, 2500, "test")
    ' These are 100 of the 2,500 test examples, spread evenly over them.'
    """
    if predicted >= examples:
        return ""
    part = f"{examples:,} {SPLIT_NAMES[split]} examples"
    return f" These are {predicted:,} of the {part}, spread evenly over them."


def number(value: float, digits: int = 4) -> str:
    """Format a number to `digits` significant digits.

    >>> number(0.071234), number(4810), number(1.5e-7), number(float("nan"))
    ('0.07123', '4,810', '1.5×10⁻⁷', 'not finite')
    """
    if not math.isfinite(value):
        return NOT_FINITE
    if isinstance(value, int) or (value == int(value) and abs(value) < 10**digits):
        return f"{int(value):,}".replace("-", "−")
    if 10 ** (digits - 1) <= abs(value) < 1e7:
        return f"{value:,.0f}".replace("-", "−")
    text = f"{value:.{digits}g}"
    return _scientific(value, digits) if "e" in text else text.replace("-", "−")


def _scientific(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".replace("-", "−", int(value < 0)).partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if mantissa == "1" else f"{mantissa}×{power}"


def tick(value: float, _position: int = 0) -> str:
    """The label of a tick: more digits than `number`, because ticks lie close together."""
    if abs(value) >= 1e6:
        return _scientific(value, 6)
    return number(float(f"{value:.12g}"), digits=6)


def percent(fraction: float) -> str:
    """Format a fraction in percent; a fraction below 1 never reads as 100 %.

    >>> percent(0.9741), percent(1.0), percent(0.9999), percent(0.0)
    ('97.4 %', '100 %', '> 99.9 %', '0 %')
    """
    if not math.isfinite(fraction):
        return NOT_FINITE
    text = f"{100 * fraction:.1f}"
    if text == "100.0":
        return "100 %" if fraction >= 1 else "> 99.9 %"
    return "0 %" if fraction == 0 else f"{text} %"


def seconds(time: float) -> str:
    """Format a time in a unit that suits it.

    >>> seconds(0.00042), seconds(2.13), seconds(75), seconds(3725)
    ('420 µs', '2.13 s', '1 min 15 s', '1 h 2 min')
    """
    if not math.isfinite(time):
        return "unknown"
    if time < 1e-3:
        return f"{time * 1e6:.3g} µs"
    if time < 1:
        return f"{time * 1e3:.3g} ms"
    if time < 60:
        return f"{time:.3g} s"
    minutes, rest = divmod(round(time), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def shape(sizes: Sequence[int]) -> str:
    """Format a shape as `8×8×1`; a single number, which has no axes, as `1`.

    >>> shape((8, 8)), shape(())
    ('8×8', '1')
    """
    return "×".join(str(n) for n in sizes) or "1"


def is_fraction(metric: str) -> bool:
    """Whether a metric is a fraction of the examples, shown in percent."""
    return kind_of(metric)[1] in FRACTIONS


def metric_name(metric: str) -> str:
    """The common name of a metric, from its column.

    >>> metric_name("top_k_3"), metric_name("f1_macro"), metric_name("log_loss")
    ('top 3 accuracy', 'F1 (macro)', 'log loss')
    >>> metric_name("digit_roc_auc")
    'digit area under the ROC curve'
    """
    output, kind, option = kind_of(metric)
    if kind == "top_k":
        return " ".join(filter(None, (output, "top", option, "accuracy")))
    name = METRIC_NAMES.get(kind, plain(kind))
    return " ".join(filter(None, (output, name, f"({option})" if option else "")))


def metric_value(metric: str, value: float) -> str:
    """Format a metric's value: in percent if it is a fraction, with three decimals if the best is 1.

    >>> metric_value("accuracy", 0.5), metric_value("f1", 0.5), metric_value("mae", 0.5)
    ('50.0 %', '0.500', '0.5')
    >>> metric_value("r2", -0.5), metric_value("r2", -1e-5)
    ('−0.500', '0.000')
    """
    if is_fraction(metric):
        return percent(value)
    if kind_of(metric)[1] not in SCORES or not abs(value) < 10:
        return number(value)
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def is_loss(column: str) -> bool:
    """Whether a column is the loss, or the loss of one of several outputs.

    >>> is_loss("loss"), is_loss("kind_loss"), is_loss("log_loss")
    (True, True, False)
    """
    return column.endswith("loss") and kind_of(column)[1] != "log_loss"


def is_better_higher(column: str) -> bool:
    """Whether a higher value is better.

    >>> is_better_higher("kind_roc_auc"), is_better_higher("mae"), is_better_higher("width_loss")
    (True, False, False)
    """
    return not is_loss(column) and kind_of(column)[1] not in ERRORS


def kind_of(metric: str) -> tuple[str, str, str]:
    """Split a metric's column into the output, "" if there is only one; the kind; and the option or ""."""
    found = _COLUMN.fullmatch(metric)
    return ("", metric, "") if found is None else (found[1] or "", found[2], found[3] or "")


def mean_value(metric: str, mean: float, deviation: float) -> str:
    """Format a mean with its standard deviation, in percent if the metric is a fraction.

    >>> mean_value("accuracy", 0.9741, 0.0123), mean_value("loss", 0.12345, 0.0123)
    ('97.4 ± 1.2 %', '0.1235 ± 0.012')
    >>> mean_value("accuracy", 0.99992, 0.00027)
    '99.99 ± 0.03 %'
    >>> mean_value("loss", 0.5, float("nan"))
    '0.5'
    """
    if not math.isfinite(deviation):
        return metric_value(metric, mean)
    if is_fraction(metric) and math.isfinite(mean):
        decimals = max(1, min(4, -math.floor(math.log10(100 * deviation)))) if deviation else 1
        return f"{100 * mean:.{decimals}f} ± {100 * deviation:.{decimals}f} %"
    return f"{metric_value(metric, mean)} ± {number(deviation, 2)}"


def column_name(column: str) -> str:
    """The common name of a column of the history.

    >>> column_name("validation_roc_auc"), column_name("train_loss")
    ('validation area under the ROC curve', 'training loss')
    """
    split, _, metric = column.partition("_")
    return f"{SPLIT_NAMES.get(split, split)} {metric_name(metric)}"


def plain(name: str) -> str:
    """Turn an option's name into words: `softmax_cross_entropy` becomes `softmax cross entropy`."""
    return name.replace("_", " ")


def option_value(value: Any) -> str:
    """Format an option's value: a number with few digits, anything else as in a config.

    >>> option_value(0.0012345), option_value("adam"), option_value({"type": "momentum"})
    ('0.00123', 'adam', '{type: momentum}')
    """
    if isinstance(value, float):
        return number(value, 3)
    return value if isinstance(value, str) else json.dumps(value).replace('"', "")


def sentence(text: str) -> str:
    """Capitalise the first letter and leave the rest unchanged."""
    return text[:1].upper() + text[1:]


def shorten(text: str, limit: int) -> str:
    """Cut the text to `limit` characters, the last one an ellipsis if any were cut."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def turned(columns: Row, rows: Sequence[Row], *, widest: int) -> tuple[Row, list[Row]]:
    """Transpose a table that has few rows but too many columns for a page.

    >>> turned(("part", "loss", "f1"), [("test", "0.5", "0.7")], widest=2)
    (('part', 'test'), [('loss', '0.5'), ('f1', '0.7')])
    """
    if len(columns) <= widest or len(rows) + 1 > widest:
        return columns, list(rows)
    first, *rest = zip(columns, *rows, strict=True)
    return first, rest
