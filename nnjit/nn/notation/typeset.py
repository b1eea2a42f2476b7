"""Typeset formulas: runs of plain text, letters, superscripts and subscripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nnjit.nn.formula import Formula

Kind = Literal["", "var", "sup", "sub"]
Run: TypeAlias = tuple[Kind, str]
Runs: TypeAlias = tuple[Run, ...]

CLOSED, WORD, PRODUCT, TERM = 4, 3, 2, 1  # binding strength


@dataclass(frozen=True)
class Style:
    """How an operation is printed.

    Args:
        pieces: the text before, between and after its arguments.
        tightness: the binding strength of the whole, and
        within: of an argument that needs no parentheses.
        chains: whether arguments with the same operation need none either.
    """

    pieces: tuple[str, str, str]
    tightness: int
    within: int
    chains: bool = False


# fmt: off
STYLES = {
    "add":       Style(("", " + ", ""),   TERM,    TERM),
    "sub":       Style(("", " − ", ""),   TERM,    PRODUCT),
    "times":     Style(("", " ⊙ ", ""),   PRODUCT, WORD,    chains=True),
    "over":      Style(("", " / ", ""),   PRODUCT, WORD),
    "matmul":    Style(("", " ", ""),     PRODUCT, WORD),
    "scaled":    Style(("", " · ", ""),   PRODUCT, WORD,    chains=True),
    "joined":    Style(("[", " | ", "]"), CLOSED,  TERM),
    "positive":  Style(("[", "", " > 0]"), CLOSED, TERM),
    "reshaped":  Style(("", "", " as "),  TERM,    WORD),
    "permuted":  Style(("", "", ""),      TERM,    WORD),
    "columns":   Style(("", "", ""),      WORD,    CLOSED),
    "power":     Style(("", "", ""),      WORD,    CLOSED),
    "transpose": Style(("", "", ""),      WORD,    CLOSED),
    "over_rows": Style(("Σ", "", ""),     WORD,    WORD),
    "over_steps": Style(("Σ", "", ""),    WORD,    WORD),
    "at":        Style(("", "", ""),      CLOSED,  CLOSED),
    "collected": Style(("[", "", "]"),    CLOSED,  TERM),
    "over_last": Style(("Σ", "", ""),     WORD,    WORD),
    "partial":   Style(("∂C/∂", "", ""),  CLOSED,  CLOSED),
}
TIGHTNESS = {"pulled": PRODUCT} | {op: style.tightness for op, style in STYLES.items()}
FUNCTIONS = {"sigmoid": "σ"}
SUMMED_OVER = {"over_rows": "k", "over_last": "j", "over_steps": "t"}
# fmt: on

_ABOVE = str.maketrans("0123456789()T+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾ᵀ⁺⁻")
_BELOW = str.maketrans("0123456789hjkpt", "₀₁₂₃₄₅₆₇₈₉ₕⱼₖₚₜ")


def typeset(formula: Formula) -> Runs:
    """A formula as runs.

    >>> from nnjit.nn.formula import symbol
    >>> typeset(symbol("W", 2).T)
    (('var', 'W'), ('sup', '(2)'), ('sup', 'T'))
    """
    return tuple(_runs(formula))


def text(runs: Iterable[Run]) -> str:
    """Runs as one line of Unicode.

    >>> from nnjit.nn.formula import symbol
    >>> text(typeset((symbol("δ", 2) @ symbol("W", 2).T) * (1 - symbol("a", 1) ** 2)))
    '(δ⁽²⁾ W⁽²⁾ᵀ) ⊙ (1 − (a⁽¹⁾)²)'
    """
    tables = {"sup": _ABOVE, "sub": _BELOW}
    return "".join(words.translate(tables.get(kind, {})) for kind, words in runs)


def _runs(formula: Formula) -> list[Run]:
    if formula.op in ("symbol", "number", "words"):
        return _atom(formula)
    if formula.op in ("call", "pulled"):
        return _call(formula) if formula.op == "call" else _pulled(*formula.args)
    style = STYLES[formula.op]
    before, between, after = style.pieces
    runs: list[Run] = [("", before)] if before else []
    if formula.op in SUMMED_OVER:
        runs += [("sub", SUMMED_OVER[formula.op]), ("", " ")]
    for k, argument in enumerate(formula.args):
        runs += [("", between)] if k and between else []
        runs += _runs(argument) if _needs_none(argument, formula, style) else _parenthesized(argument)
    runs += [("", after)] if after else []
    return [*runs, *_picked(formula)]


def _atom(formula: Formula) -> list[Run]:
    if formula.op == "words":
        return [("", formula.text)]
    if formula.op == "number":
        return [("", f"{float(formula.text):.6g}".replace("-", "−"))]
    letter: Run = ("var", formula.text)
    return [letter] if formula.layer is None else [letter, ("sup", f"({formula.layer})")]


def _call(formula: Formula) -> list[Run]:
    runs: list[Run] = [("", f"{FUNCTIONS.get(formula.text, formula.text)}(")]
    for k, argument in enumerate(formula.args):
        runs += [("", ", ")] if k else []
        runs += _runs(argument)
    return [*runs, ("", ")")]


def _pulled(out: Formula, x: Formula, g: Formula) -> list[Run]:
    inner = _runs(g) if _tightness(g) >= WORD else _parenthesized(g)
    return [("", "(∂"), *_runs(out), ("", "/∂"), *_runs(x), ("", ")"), ("sup", "T"), ("", " "), *inner]


def _picked(formula: Formula) -> list[Run]:
    """The text after an operation's argument."""
    written: dict[str, list[Run]] = {
        "power": [("sup", formula.text)],
        "transpose": [("sup", "T")],
        "at": [("", f"[{formula.text}]")],
        "collected": [("sub", formula.text)],
        "columns": [("", f"[…, {formula.text}]")],
        "reshaped": [("", formula.text)],
        "permuted": [("", f" with axes {formula.text}")],
    }
    return written.get(formula.op, [])


def _needs_none(argument: Formula, user: Formula, style: Style) -> bool:
    if user.op == "power":
        return argument.op == "symbol" and argument.layer is None
    is_same = style.chains and argument.op == user.op
    first_term = user.op == "sub" and argument is user.args[0]
    return is_same or first_term or _tightness(argument) >= style.within


def _tightness(formula: Formula) -> int:
    return TIGHTNESS.get(formula.op, CLOSED)


def _parenthesized(formula: Formula) -> list[Run]:
    return [("", "("), *_runs(formula), ("", ")")]
