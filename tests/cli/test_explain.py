"""`nnjit explain`: its output and its error messages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nnjit.cli import main

CONFIG = """\
name: tiny
data: {type: inline, x: [[0.0, 1.0], [1.0, 0.5], [2.0, 1.5]], y: [1.0, 0.0, 0.5]}
model:
  - {type: dense, units: 40, activation: tanh, name: hidden}
  - {type: dense, units: 1}
loss: squared_error
optimizer: {type: momentum, learning_rate: 0.25, nesterov: true}
schedule: {type: cosine, warmup: 2}
penalty: {l1: 0.5, l2: 0.25}
clip: {value: 2.0, norm: 3.0}
dtype: float64
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `nnjit` with some arguments next to a good config; return exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(CONFIG)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nnjit", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


LINES = [
    "1  hidden   dense     n × 40",
    "z⁽¹⁾  = a⁽⁰⁾ W⁽¹⁾ + b⁽¹⁾  n × 40",
    "a⁽²⁾  = z⁽²⁾              n × 1",
    "C   = 1/n · Σₖ Cₖ",
    "P   = 0.5 Σ|w| + 0.25 Σ w²",
    "tanh′(z)  = 1 − a²",
    "δ⁽¹⁾      = (δ⁽²⁾ W⁽²⁾ᵀ) ⊙ (1 − (a⁽¹⁾)²)  n × 40",
    "∂C/∂W⁽¹⁾  = a⁽⁰⁾ᵀ δ⁽¹⁾",
    "g ← max(-2, min(g, 2))",
    "g ← g min(1, 3 / (‖g‖ + 1e-6))",
    "v ← μ v + g",
    "learning_rate  = 0.25",
    "schedule       = cosine: ",
    "theta: f64[161]",
    "gemm    over the rows  n × 40 × 2",
    "optimizer",
]


def test_it_explains_the_network_of_the_config(command: Command) -> None:
    status, out, err = command("explain", "--config", "a.yaml")
    assert (status, err) == (0, "")
    for line in LINES:
        assert line in out
    assert "the training step as a graph" not in out.lower()
    assert "import" not in out
    assert not Path("runs").exists()


# fmt: off
MOMENTS = "m ← β₁ m + (1 - β₁) g\nv ← β₂ v + (1 - β₂) g²\n"
SMOOTHED = "loss={type: binary_cross_entropy, label_smoothing: 0.2}"
ICE, FACTORS = "model[0].trainable=false", "optimizer={type: adam, learning_rate_factors: {hidden: 0.5}}"
SAID = [  # a setting, and lines that it adds
    (ICE,                  "1  hidden   dense, frozen  n × 40\n2  dense_2  dense          n × 1\n"),
    (ICE,                  "n × 1\n41 params are trained, 120 are frozen\n"),
    (FACTORS,              "learning_rate_factors  = hidden: 0.5\n"),
    ("optimizer=adamw",    f"θ ← (1 - lr λ) θ\n{MOMENTS}θ ← θ - lr m̂ / (√v̂ + ε)\nAdam, with"),
    ("optimizer=nadam",    f"{MOMENTS}θ ← θ - lr ((1 - μₜ) g / (1 - Πₜ)"),
    ("optimizer=radam",    f"{MOMENTS}θ ← θ - lr r m̂ / √v̂, but θ ← θ - lr m̂ if ρ ≤ 5\n"),
    ("optimizer=nesterov", "v ← μ v + g\nθ ← θ - lr (g + μ v): momentum with nesterov: true\noptimizer "),
    (SMOOTHED,             "targets t in [0, 1]; z is a⁽²⁾, t is 0.8 · y + 0.1)"),
    (SMOOTHED,             "∂C/∂a⁽²⁾  = 1/n · (σ(a⁽²⁾) − (0.8 · y + 0.1))"),
]
# fmt: on


@pytest.mark.parametrize(("setting", "lines"), SAID)
def test_options_are_in_what_it_prints(setting: str, lines: str, command: Command) -> None:
    _, out, _ = command("explain", "--config", "a.yaml", "--set", setting)
    assert lines in out


def test_no_line_is_of_the_gradient_of_a_frozen_layer(command: Command) -> None:
    _, out, _ = command("explain", "--config", "a.yaml", "--set", ICE)
    assert "∂C/∂b⁽²⁾" in out
    assert not any(text in out for text in ("δ⁽¹⁾", "∂C/∂W⁽¹⁾", "tanh′"))


def test_its_source_is_a_file_that_it_can_print(command: Command) -> None:
    _, short, _ = command("explain", "--config", "a.yaml")
    source = Path(short[short.rindex("source: ") :].split()[1])
    _, long, _ = command("explain", "--config", "a.yaml", "--graph", "--kernels")
    assert source.read_text() in long
    step = long.partition("The training step as a graph")[2]
    assert "velocity: f64[161]" in step
    assert "# hidden" in step


def test_flags_beat_the_file(command: Command) -> None:
    _, out, _ = command("explain", "--config", "a.yaml", "--set", "model[0].units=7")
    assert "1  hidden   dense     n × 7\n" in out


# fmt: off
WRONG = [
    ("",                                       "nothing to look at: give the FILE of a config"),
    ("--config none.yaml",                     "none.yaml: cannot read this config: No such file"),
    ("--config a.yaml --set sed=1",            '--set sed=1: unknown option "sed"; did you mean "seed"?'),
    ("--config a.yaml --set loss=hinge",       "a.yaml:2: data: labels are not classes: row 3"),
    ("--config a.yaml --set model[1].units=2", "a.yaml:6: loss: the model has 2 outputs, the data 1 target"),
]
# fmt: on


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_is_wrong_is_one_message_and_status_2(words: str, message: str, command: Command) -> None:
    status, out, err = command("explain", *words.split())
    assert (status, out) == (2, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_a_full_batch_method_has_no_kernels_of_a_step(command: Command) -> None:
    settings = ["optimizer=levenberg_marquardt", "training.batch_size=full", "schedule=constant", "clip={}"]
    flags = [word for setting in [*settings, "penalty.l1=0"] for word in ("--set", setting)]
    status, out, err = command("explain", "--config", "a.yaml", "--graph", *flags)
    assert (status, err) == (0, "")
    assert "(JᵀJ + λ I) d = -Jᵀr" in out
    assert "The training step as a graph" in out
    assert "the kernels of the cost and its gradient in `kernels/` of the run folder" in out
    assert "in the order they run" not in out
