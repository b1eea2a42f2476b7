"""`nnjit check`: right gradients pass, wrong ones do not, and corners of the cost raise no false alarms."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import config
from nnjit.autodiff import custom_jvp
from nnjit.cli import main
from nnjit.errors import DataError
from nnjit.ir import Graph, Primitive, interpret
from nnjit.nn import ACTIVATIONS, Activation
from nnjit.nn.initializers import GlorotUniform
from nnjit.training.gradient_check import ALL_OF, SOME, STEPS, GradientCheck, check_gradient, compare
from nnjit.training.setup.setup import set_up
from tests.training.test_threads import LAYERED

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = """\
name: small
dtype: float32
data: {type: inline, x: [[0.0, 1.0], [1.0, -0.5], [2.0, 1.5]], y: [1.0, 0.0, 0.5]}
model:
  - {type: dense, units: 3, activation: tanh, name: hidden}
  - {type: dense, units: 1, name: last}
loss: squared_error
clip: {value: 1e-3}
penalty: {l1: 0.01, l2: 0.1}
"""
FORKED = """\
name: forked
seed: 5
data: {type: sklearn, dataset: digits, scale: unit}
model:
  - {type: dense, units: 4, activation: relu, name: stem}
  - {type: dropout, rate: 0.5}
  - {type: dense, units: 4, activation: leaky_relu, name: left, from: stem}
  - {type: concat, from: [dropout_1, left], name: both}
  - {type: dense, units: 10}
loss: softmax_cross_entropy
optimizer: {type: nadam}
"""


@pytest.mark.exact  # its first layer is an embedding, of whole numbers
def test_layers_of_windows_and_of_steps_have_right_gradients() -> None:
    setup = set_up(config.resolve(LAYERED), Path())
    assert check_gradient(setup, setup.initial_state(Path()).theta).is_right


class Interpreted:
    """`Compiled`, but interpreted, for tests that are not about compiled code."""

    def __init__(self, graph: Graph, *, title: str) -> None:
        self.graph = graph

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        return interpret(self.graph, arguments)


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnjit.codegen.program.Compiled", Interpreted)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    Path("forked.yaml").write_text(FORKED)
    return tmp_path


def check(path: Path | str, *settings: str) -> GradientCheck:
    setup = set_up(config.load(path, ["dtype=float64", *settings]), Path())
    return check_gradient(setup, setup.initial_state(Path()).theta)


@pytest.mark.parametrize("name", ["lecture_chain", "xor"])
def test_shipped_config_has_the_right_gradient(name: str) -> None:
    done = check(CONFIGS / f"{name}.yaml")
    assert done.is_right
    assert all(len(t.elements) == np.prod(t.shape) for t in done.tensors)
    assert sum(t.kinks for t in done.tensors) == 0


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "moons", "residual", "wine"])
def test_shipped_config_is_interpreted_with_the_right_gradient(name: str, interpreted: None) -> None:
    assert check(CONFIGS / f"{name}.yaml").is_right


def test_branches_dropout_and_large_tensors_are_checked(folder: Path) -> None:
    done = check("forked.yaml")
    assert done.is_right
    assert done.rows == 8
    counts = {t.name: (len(t.elements), np.prod(t.shape)) for t in done.tensors}
    assert counts["stem.weight"] == (SOME, 256)
    assert counts["left.weight"] == (16, 16)
    assert all(checked == size or size > ALL_OF for checked, size in counts.values())
    indices = [e.index for t in done.tensors if t.name == "stem.weight" for e in t.elements]
    assert len(set(indices)) == SOME
    assert all(0 <= i < 64 and 0 <= j < 4 for i, j in indices)


def test_state_is_no_part_of_the_gradient(folder: Path, interpreted: None) -> None:
    block = "{type: repeat, times: 2, layers: [{type: dense, units: 3}, batch_norm]}"
    done = check("small.yaml", f"model[0]={block}")
    assert done.is_right
    names = [f"{layer}_{k}.{own}" for k in (1, 2) for layer, own in (
        ("dense", "weight"), ("dense", "bias"), ("batch_norm", "scale"), ("batch_norm", "shift"),
    )]  # fmt: skip
    assert [t.name for t in done.tensors] == [*names, "last.weight", "last.bias"]


@custom_jvp
def doubled(x: Any) -> Any:
    """Tanh with a derivative that is twice the true one."""
    return nnp.tanh(x)


@doubled.defjvp
def _rule(primals: Any, tangents: Any) -> Any:
    return doubled(*primals), 2.0 * (1 - nnp.tanh(primals[0]) ** 2) * tangents[0]


# Not in the table of primitives, whose rows are all tested to be right.
halved = Primitive(
    "halved_square",
    "elementwise",
    lambda x: x,
    np.square,
    partials=(lambda out, x: x,),
    expression="{0} * {0}",
)


@pytest.mark.parametrize("function", [doubled, lambda x: halved(x)], ids=["custom rule", "primitive"])
def test_a_wrong_derivative_is_found(
    function: Callable[..., Any], folder: Path, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(function, GlorotUniform()))
    done = check("small.yaml", "penalty={}")
    right = {t.name: t.is_right for t in done.tensors}
    assert right == {"hidden.weight": False, "hidden.bias": False, "last.weight": True, "last.bias": True}
    worst = done.tensors[0].worst
    assert worst is not None
    assert worst.error == pytest.approx(0.5, rel=1e-4)  # one is twice the other
    assert all(t.is_compiled_right for t in done.tensors)


def test_compiled_code_that_differs_is_found(
    folder: Path, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: Interpreted, *arguments: np.ndarray) -> list[np.ndarray]:
        gradient = interpret(self.graph, arguments)[0]
        gradient[-1] += 1e-8  # too little for differences to see
        return [gradient]

    monkeypatch.setattr(Interpreted, "__call__", wrong)
    done = check("small.yaml")
    assert [t.is_compiled_right for t in done.tensors] == [True, True, True, False]
    assert all(t.is_right for t in done.tensors)
    assert not done.is_right


def bent(theta: np.ndarray) -> float:
    """A corner at 0, from slope -1 to slope 3, in a curved cost."""
    (x,) = theta
    return float(np.where(x > 0, 3 * x, -x) + 0.5 * x**2 + 1)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_corner_is_no_false_alarm(side: int) -> None:
    here, slope = np.geomspace(1e-9, 1e-3, 500) * side, 3.0 if side > 0 else -1.0
    for x in here:
        element = compare(bent, np.array([x]), 0, slope + x, bent(np.array([x])))
        assert element.is_kink or element.error < 1e-5, x
        if abs(x) < 0.9 * STEPS[1] or abs(x) > STEPS[0]:
            assert element.is_kink == (abs(x) < STEPS[1]), x
    assert compare(bent, np.zeros(1), 0, slope, 1.0).is_kink


@pytest.mark.parametrize("wrong", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("x", [0.0, 0.3, -2.0, 50.0])
def test_a_wrong_derivative_of_a_smooth_cost_is_no_corner(x: float, wrong: float) -> None:
    def smooth(theta: np.ndarray) -> float:
        return float(np.sin(theta[0]) + np.exp(theta[0] / 10) + 0.3 * theta[0] ** 2)

    theta = np.array([x])
    right = np.cos(x) + np.exp(x / 10) / 10 + 0.6 * x
    assert compare(smooth, theta, 0, right, smooth(theta)).error < 1e-5
    element = compare(smooth, theta, 0, right + wrong * max(1, abs(right)), smooth(theta))
    assert element.error > wrong / 20
    assert compare(smooth, theta, 0, np.nan, smooth(theta)).error == np.inf


def test_a_cost_that_is_not_finite_is_told(folder: Path, interpreted: None) -> None:
    with pytest.raises(DataError, match=r"the cost of the first weights is inf .* scale the data"):
        check("small.yaml", "model[0].activation=identity", "data.x=[[1e200,1],[1,1],[1,1]]")


# -- the command


@pytest.fixture
def command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `nnjit check` with some arguments; return exit status, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nnjit", "check", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


Command = Callable[..., tuple[int, str, str]]


def test_the_command_prints_a_row_for_each_tensor(command: Command, interpreted: None) -> None:
    status, out, err = command("--config", "small.yaml")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("the gradient of the cost of 3 examples, ")
    assert lines[1].split() == ["tensor", "shape", "checked", "kinks", "largest", "error", "compiled"]
    assert [line.split()[0] for line in lines[2:-1]] == [
        "hidden.weight", "hidden.bias", "last.weight", "last.bias",
    ]  # fmt: skip
    assert all(line.endswith("  ok") for line in lines[2:-1])
    assert "6 of 6" in lines[2]


def test_the_command_fails_with_status_1_and_says_where(
    command: Command, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(doubled, GlorotUniform()))
    status, out, err = command("--config", "small.yaml")
    assert (status, err) == (1, "")
    assert [line.split()[-1] for line in out.splitlines()[2:6]] == ["FAILED", "FAILED", "ok", "ok"]
    last = out.splitlines()[-2:]
    assert last[0].startswith("FAILED hidden.weight[")
    assert "the gradient says " in last[0]
    assert last[1].startswith("FAILED hidden.bias[")


# fmt: off
WRONG = [
    ("",                                         "nothing to look at: give the FILE of a config"),
    ("--config none.yaml",                       "none.yaml: cannot read this config: No such file"),
    ("--config small.yaml --set sed=1",          '--set sed=1: unknown option "sed"; did you mean "seed"?'),
    ("--config small.yaml --set model[1].units=2", "small.yaml:7: loss: the model has 2 outputs"),
]
# fmt: on


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_is_wrong_is_one_message_and_status_2(words: str, message: str, command: Command) -> None:
    status, out, err = command(*words.split())
    assert (status, out) == (2, "")
    assert err.startswith(message)
    assert err.count("\n") == 1
