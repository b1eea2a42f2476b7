"""Advice: each rule on made-up histories, with and without its symptom. And the picture of layer health."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.errors import RunError
from nnjit.report import write_report
from nnjit.report.files import RunFiles, read_run
from nnjit.report.pages.advice import RULES, advice
from nnjit.report.pictures import layer_health
from nnjit.runs import file_names
from nnjit.runs.diagnosis import read_diagnosis
from tests.report.run_folders import learning_curves, plain, write_run

T = np.arange(1, 61)
SETTLED = 0.1 + 2.0 * 0.8**T
NOISE = np.random.default_rng(0).normal(0, 1, 60)
ZIGZAG = np.where(T % 2 == 0, 1.0, -1.0)


def losses(train: np.ndarray, held: np.ndarray | None = None) -> dict[str, np.ndarray]:
    curves = learning_curves(len(train), None, validation=held is not None)
    curves["train_loss"] = train
    return curves if held is None else curves | {"validation_loss": held}


def looks(**figures: float) -> str:
    """A `diagnosis.csv` of two layers and eight looks; the first layer always has the given values."""
    names = ("gradient_norm", "param_norm", "update_ratio", "dead", "saturated")
    usual = {"gradient_norm": 1.0, "param_norm": 3.0, "update_ratio": 1e-3}
    row = [str((usual | figures).get(name, "")) for name in names]
    lines = [f"{e},hidden,{','.join(row)}\n{e},last,1.0,2.0,0.001,," for e in (1, 8, 16, 24, 32, 40, 50, 60)]
    return "\n".join([f"epoch,layer,{','.join(names)}", *lines]) + "\n"


# fmt: off
SHOWN = [  # the history, options of the run, names of the rules that apply
    ("settled", {"curves": losses(SETTLED)}, []),
    ("settled, noisy", {"curves": losses(SETTLED * (1 + 0.02 * NOISE))}, []),
    ("noise near zero", {"curves": losses(2.0 * 0.7**T + 0.01 * abs(NOISE))}, []),
    ("zigzag", {"curves": losses(1 + 0.5 * ZIGZAG)}, ["oscillates"]),
    ("small zigzag", {"curves": losses(SETTLED + 0.02 * ZIGZAG)}, []),
    ("zigzag of 9 epochs", {"curves": losses(1 + 0.5 * ZIGZAG[:9])}, []),
    ("overfits", {"curves": losses(2 * 0.9**T, 0.3 + 2 * 0.8**T + 0.004 * T)}, ["overfits"]),
    ("the best were kept", {"curves": losses(2 * 0.9**T, 0.3 + 2 * 0.8**T + 0.004 * T),
                             "metrics": {"weights": "best", "status": "early_stopped"}}, []),
    ("both rise", {"curves": losses(0.5 + 0.01 * T, 0.3 + 0.01 * T)}, []),
    ("validation flat", {"curves": losses(2 * 0.9**T, 0.3 + 2 * 0.8**T + 0.0001 * T)}, []),
    ("still falls", {"curves": losses(2 * 0.98**T, 2.1 * 0.98**T)}, ["still_falls"]),
    ("falls, interrupted", {"curves": losses(2 * 0.98**T, 2.1 * 0.98**T),
                             "metrics": {"status": "interrupted"}}, []),
    ("a score rises still", {"curves": losses(SETTLED) | {"validation_accuracy": 1 - 0.98**T},
                             "metrics": {"monitor": "validation_accuracy", "mode": "max"}}, ["still_falls"]),
    ("a score falls", {"curves": losses(SETTLED) | {"validation_accuracy": 0.98**T},
                       "metrics": {"monitor": "validation_accuracy", "mode": "max"}}, []),
    ("large inputs", {"curves": losses(SETTLED), "data": {"magnitude": 250.0}}, ["unscaled"]),
    ("usual inputs", {"curves": losses(SETTLED), "data": {"magnitude": 9.9}}, []),
    ("one epoch", {"curves": losses(SETTLED[:1]), "epochs": 1}, []),
]
SEEN = [  # the values of the layers, names of the rules that apply
    ({},                                      []),
    ({"dead": 0.49},                          []),
    ({"dead": 0.5},                           ["dead"]),
    ({"saturated": 0.7},                      []),  # sinc under adam ends with 0.56 at a loss of 1e-6
    ({"saturated": 0.9},                      ["saturated"]),
    ({"update_ratio": 0.3},                   ["rash"]),
    ({"gradient_norm": 5e-4},                 ["vanishing"]),
    ({"gradient_norm": 0.0},                  []),
    ({"gradient_norm": 2e-3},                 []),
    ({"dead": 1.0, "gradient_norm": 1e-9},    ["dead", "vanishing"]),
]
# fmt: on


def spoken(run: RunFiles) -> list[str]:
    return [rule.name for rule in RULES if rule.find(run, rule.threshold)]


def made(folder: Path, options: dict[str, Any], seen: str | None = None) -> RunFiles:
    monitor = {
        "monitor": "train_loss" if np.isnan(options["curves"]["validation_loss"]).all() else "validation_loss"
    }
    options = options | {"metrics": monitor | options.get("metrics", {})}
    write_run(folder, **({"epochs": 60} | options))
    if seen is not None:
        (folder / file_names.DIAGNOSIS).write_text(seen)
    return read_run(folder)


@pytest.mark.parametrize(("name", "options", "rules"), SHOWN, ids=[name for name, _, _ in SHOWN])
def test_a_history_is_told_its_sign_and_no_other(
    name: str, options: dict[str, Any], rules: list[str], tmp_path: Path
) -> None:
    assert spoken(made(tmp_path / "run", options)) == rules


@pytest.mark.parametrize(("figures", "rules"), SEEN)
def test_what_was_seen_in_the_layers_is_told(
    figures: dict[str, float], rules: list[str], tmp_path: Path
) -> None:
    assert spoken(made(tmp_path / "run", {"curves": losses(SETTLED)}, looks(**figures))) == rules


# fmt: off
MET = [  # layers for data of size 250, and the rules that apply
    ([plain("words", "embedding", ["input"], [4], entries=300, size=4)],                 []),
    ([plain("flat", "flatten", ["input"], [4]), plain("bn", "batch_norm", ["flat"], [4])], []),
    ([plain("one", "select", ["input"], []), plain("e", "embedding", ["one"], [4])],     []),
    ([plain("flat", "flatten", ["input"], [4]), plain("drop", "dropout", ["flat"], [4]),
      plain("bn", "batch_norm", ["drop"], [4])],                                         ["unscaled"]),
]
# fmt: on


@pytest.mark.parametrize(("layers", "rules"), MET)
def test_what_a_layer_scales_or_counts_is_not_called_unscaled(
    layers: list[dict[str, Any]], rules: list[str], tmp_path: Path
) -> None:
    options = {"curves": losses(SETTLED), "data": {"magnitude": 250.0}, "layers": layers}
    assert spoken(made(tmp_path / "run", options)) == rules


def test_every_rule_has_a_row_in_which_it_speaks() -> None:
    told = [*(rules for _, _, rules in SHOWN), *(rules for _, rules in SEEN)]
    assert {rule.name for rule in RULES} == {name for rules in told for name in rules}


def test_the_sentence_names_epoch_and_rise(tmp_path: Path) -> None:
    held = 0.3 + 2 * 0.8**T + 0.004 * T
    run = made(tmp_path / "run", {"curves": losses(2 * 0.9**T, held)})
    best, end = int(np.argmin(held)), np.median(held[-5:])
    (text,) = advice(run)
    assert text.startswith(f"It has overfitted since epoch {best + 1}: the validation loss has risen by ")
    assert f"{100 * (end / held[best] - 1):.1f} %" in text


def test_a_rise_of_many_times_is_no_percentage(tmp_path: Path) -> None:
    run = made(tmp_path / "run", {"curves": losses(2 * 0.9**T, 0.3 + 2 * 0.8**T + 1.0 * (T > 30))})
    assert "risen to 4.3 times its lowest while" in advice(run)[0]


def test_the_page_has_advice_and_a_panel_for_each_figure(tmp_path: Path) -> None:
    run = made(tmp_path / "run", {"curves": losses(SETTLED)}, looks(dead=0.75, saturated=0.1))
    write_report(run.folder)
    page = (run.folder / file_names.REPORT).read_text()
    assert "75.0 % of the units of &#34;hidden&#34; are dead" in page
    picture = layer_health.draw(run)
    assert picture is not None
    assert len(picture.figure.axes) == 4
    assert [len(ax.lines) for ax in picture.figure.axes] == [2, 2, 1, 1]


@pytest.mark.parametrize("value", ["true", "auto"])
def test_few_looks_make_curves_where_they_are_asked_for(value: str, tmp_path: Path) -> None:
    first = "\n".join(looks().splitlines()[:5]) + "\n"  # the head and two looks
    run = made(tmp_path / "run", {"curves": losses(SETTLED)}, first)
    (run.folder / file_names.CONFIG).write_text(f"training: {{epochs: 60, diagnosis: {value}}}\n")
    assert (layer_health.draw(read_run(run.folder)) is None) == (value == "auto")


def test_a_run_without_looks_has_no_such_picture(tmp_path: Path) -> None:
    assert layer_health.draw(made(tmp_path / "run", {"curves": losses(SETTLED)})) is None
    assert (
        layer_health.draw(made(tmp_path / "none", {"curves": losses(SETTLED)}, looks().split("\n")[0]))
        is None
    )


def test_many_layers_have_few_labels(tmp_path: Path) -> None:
    header = "epoch,layer,gradient_norm,param_norm,update_ratio,dead,saturated\n"
    lines = "".join(f"{e},layer_{k},0.{k + e},1,0.001,,\n" for e in range(1, 9) for k in range(30))
    picture = layer_health.draw(made(tmp_path / "run", {"curves": losses(SETTLED)}, header + lines))
    assert picture is not None
    assert [len(ax.texts) for ax in picture.figure.axes] == [10, 10]


@pytest.mark.parametrize("line", ["x,hidden,1,1,1,,", "1,hidden,a,1,1,,", "1,hidden"])
def test_a_malformed_row_is_told(line: str, tmp_path: Path) -> None:
    (tmp_path / file_names.DIAGNOSIS).write_text(looks() + line + "\n")
    with pytest.raises(RunError, match=re.escape("expected an epoch, a layer and 5 numbers")):
        read_diagnosis(tmp_path)
