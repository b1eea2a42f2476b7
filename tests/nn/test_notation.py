"""Which layers have their own notation, and that layers work without it."""

from __future__ import annotations

import subprocess
import sys

from nnjit.nn import layers
from nnjit.nn.notation.table import FILES, notation_of, stated_recurrence
from tests.nn.test_lines import Bilinear

FALL_BACK = {
    "cutout",
    "features",
    "random_crop",
    "random_flip",
    "random_shift",
}  # layers whose lines are the transposes of their derivative
IMPORTED = """
import sys, nnjit.nn
print([name for name in sys.modules if name.startswith("nnjit.nn.notation")])
"""
COSTS = """
from nnjit.nn import losses
from nnjit.nn.formula import A, Y
from nnjit.nn.notation.cost import EXAMPLE_COST, cost_line
print([(name, cost_line(loss(), EXAMPLE_COST, A, Y, 3)) for name, loss in losses.items()])
"""


def run(code: str, *options: str) -> str:
    """The output of a separate Python process."""
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_each_layer_has_a_notation_or_is_known_to_fall_back() -> None:
    assert not FALL_BACK & FILES.keys()
    assert FALL_BACK | FILES.keys() == set(layers)
    assert all(callable(notation_of(kind)) for kind in FILES)


def test_a_layer_outside_the_table_states_no_recurrence() -> None:
    assert stated_recurrence(Bilinear(), (4,)) is None


def test_importing_the_layers_imports_no_notation() -> None:
    assert run(IMPORTED).strip() == "[]"


def test_the_lines_of_the_cost_need_no_docstrings() -> None:
    assert run(COSTS, "-OO") == run(COSTS)
