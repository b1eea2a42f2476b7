"""The lecture's programs run, print the numbers that matter, and draw their pictures."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.ir import interpret

LECTURE = Path(__file__).parents[1] / "scripts" / "lecture"
LONGEST = 60  # lines of a program, which is a slide
OURS = "import nnjit.numpy as np\nfrom nnjit import grad\n"
JAX = "import jax.numpy as np\nfrom jax import grad\n"


@dataclass(frozen=True)
class Program:
    """A program, with text that its output and files that its folder must contain."""

    name: str
    says: tuple[str, ...]
    draws: tuple[str, ...]
    options: dict[str, int] = field(default_factory=dict)


PROGRAMS = (
    Program(
        "by_hand",
        (
            "by_hand      differs from grad by 0.0000",
            "with_a_slip  differs from grad by 0.5575",
        ),
        ("by_hand",),
        {"steps": 40},
    ),
    Program(
        "predict_loss_grad",
        (
            "∂C/∂W of shape (2, 3)",
            "∂C/∂b of shape (1,)",
            "loss 0.6154, after 60 steps 0.01",
        ),
        ("loss",),
        {"steps": 60},
    ),
    Program(
        "tanh_derivatives",
        (
            "tanh′(0.0)  =  1.0",
            "tanh‴(0.0)  = -2.0",
            "tanh″(1.0)  = -0.6397000, by hand -0.6397000",
        ),
        ("tanh_derivatives",),
    ),
    Program(
        "limit",
        (
            "f′(1) = 1.25338076749344",
            "forward difference: error at best",
            "central difference: error at best",
        ),
        ("limit",),
    ),
    Program(
        "three_ways",
        (
            "l₂′ = (4 * 1 * (1 - x) + 4 * x * (-1))",
            " 3              27            11     -4.352000000",
        ),
        ("three_ways",),
        {"most": 3},
    ),
    Program(
        "gradient_and_jacobian",
        (
            "∇f(x) = [4.5 4. ], shape (2,); by hand [4.5 4. ]",
            "shape (3, 2)",
            "rows are gradients: True",
        ),
        ("gradient",),
    ),
    Program(
        "one_neuron_chain",
        (
            "z⁽ᴸ⁾ = 1.800000, a⁽ᴸ⁾ = 0.858149, C₀ = 0.736420",
            "= 1.50 · 0.121729 · 1.716298 = 0.313385711",
            "= 0.313385711, grad: 0.313385711",
            "= 0.125354284, grad: 0.125354284",
        ),
        ("one_neuron_chain",),
    ),
    Program(
        "earlier_layers",
        (
            "∂C₀/∂w⁽³⁾ = 0.470065 · 0.240018 · -0.800176 = -0.090279021, grad: -0.090279021",
            "∂C₀/∂b⁽¹⁾ = 1.000000 · 0.191101 ·  0.050234 =  0.009599804, grad:  0.009599804",
        ),
        ("earlier_layers",),
    ),
    Program(
        "average_over_data",
        (
            "mean of gradients      -0.091450   0.028539",
            "gradient of the mean   -0.091450   0.028539",
        ),
        ("average_over_data",),
    ),
    Program(
        "full_gradient",
        (
            "layer 1: 6 weights, 3 biases",
            "layer 2: 3 weights, 1 biases",
            "∇C has 13 entries",
        ),
        ("full_gradient",),
    ),
    Program(
        "forward_or_reverse",
        (
            "     1       4             1              4  measured: ",
            "     4       1             4              1  measured: ",
        ),
        ("forward_or_reverse",),
        {"most": 4},
    ),
    Program(
        "rules_of_primitives",
        (
            "tanh(x)     g → g * (1 - (tanh(x) * tanh(x)))",
            "x * y       g → g * y,   g * x",
            "x @ y       g → g @ y.T,   x.T @ g",
        ),
        ("rules",),
    ),
    Program(
        "recurrences",
        (
            "    2       0.049454682",
            "   10       0.037557734",
        ),
        ("recurrences",),
        {"epochs": 10},
    ),
    Program(
        "two_ways_to_the_graph",
        (
            "tanh_1: f64[4,3] = tanh(add_1)\n",
            "tanh_1: f64[4,3] = tanh(add_1)    # dense_1",
            "the same graph: True",
        ),
        ("by_tracing", "by_layers"),
    ),
)
NAMES = [program.name for program in PROGRAMS]


@pytest.fixture(autouse=True)
def _slide_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(LECTURE)


def definitions(name: str) -> dict[str, Any]:
    """The names that a program defines."""
    return runpy.run_path(str(LECTURE / f"{name}.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
def test_program_says_and_draws(program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.printoptions(precision=4, suppress=True):
        definitions(program.name)["main"](tmp_path, **program.options)
    said = capsys.readouterr().out
    for words in program.says:
        assert words in said
    for name in program.draws:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_every_program_is_here_and_is_as_short_as_a_slide() -> None:
    files = {path.stem: path for path in LECTURE.glob("*.py")}
    assert set(files) == {*NAMES, "slide", "ukrainian"}
    for name in NAMES:
        assert files[name].read_text(encoding="utf-8").count("\n") <= LONGEST, name


def test_program_runs_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, str(LECTURE / "tanh_derivatives.py"), "--output", str(tmp_path / "new")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "tanh‴(0.0)  = -2.0" in done.stdout
    assert (tmp_path / "new" / "tanh_derivatives.png").exists()


def test_program_is_that_of_jax_but_for_two_lines() -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    text = (LECTURE / "predict_loss_grad.py").read_text(encoding="utf-8")
    assert text.count(OURS) == 1
    theirs: dict[str, Any] = {"__name__": "slide_for_jax"}
    ours = definitions("predict_loss_grad")
    with in_float64():
        exec(compile(text.replace(OURS, JAX), "predict_loss_grad.py", "exec"), theirs)
        assert theirs["np"].__name__ == "jax.numpy"
        gradients = gradient_of(theirs)
        losses, _ = theirs["descend"](theirs["first"], 3)
    for mine, other in zip(gradient_of(ours), gradients, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours["descend"](ours["first"], 3)[0], losses, rtol=1e-12)


def gradient_of(program: dict[str, Any]) -> list[np.ndarray]:
    gradient = program["gradient_fun"](program["first"], program["inputs"], program["targets"])
    return [np.asarray(leaf) for layer in gradient for leaf in layer]


@contextmanager
def in_float64() -> Iterator[None]:
    import jax

    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


def test_full_gradient_is_that_of_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = definitions("full_gradient")
    program["main"](tmp_path)
    said = [float(value) for value in re.findall(r"∂C/∂\S+ += +(\S+)", capsys.readouterr().out)]
    cost, params, h = program["cost"], program["PARAMS"], 1e-6
    differences = []
    for array in (array for layer in params for array in layer):
        for place in np.ndindex(array.shape):
            kept, values = array[place], []
            for array[place] in (kept + h, kept - h):
                values.append(float(cost(params, program["X"], program["Y"])))
            array[place] = kept
            differences.append((values[0] - values[1]) / (2 * h))
    np.testing.assert_allclose(said, differences, atol=1e-6)


def test_both_modes_build_the_same_jacobian() -> None:
    program = definitions("forward_or_reverse")
    f, x = program["function"](3, 2), np.linspace(-1, 1, 3)
    np.testing.assert_allclose(program["by_forward_mode"](f, x), program["by_reverse_mode"](f, x), rtol=1e-14)


def test_best_difference_is_worse_than_grad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definitions("limit")["main"](tmp_path)
    forward, central, ours = (
        float(e) for e in re.findall(r"error (?:at best )?(\S+e[-+]\d+)", capsys.readouterr().out)
    )
    assert ours < 1e-15 < central < 1e-10 < forward < 1e-7


def test_the_rules_are_those_of_differences() -> None:
    """Evaluate each rule against the central difference of g times the primitive's value."""
    program, h = definitions("rules_of_primitives"), 1e-6
    for written, function, arguments, value in program["PRIMITIVES"]:
        g = some(np.cos, value)
        found = interpret(program["rule"](function, arguments, value), [g, *map(np.asarray, arguments)])
        for k, derivative in enumerate(found):
            along = some(np.sin, arguments[k])
            ends = [[a + s * along if i == k else a for i, a in enumerate(arguments)] for s in (h, -h)]
            above, below = (float(np.sum(g * function(*end))) for end in ends)
            assert np.sum(derivative * along) == pytest.approx((above - below) / (2 * h), abs=1e-8), written


def some(wave: Callable[[np.ndarray], np.ndarray], like: Any) -> np.ndarray:
    """Numbers between -1 and 1, in the shape of `like`."""
    return wave(np.arange(1.0, 1 + np.size(like))).reshape(np.shape(like))
