"""Progress of a run in a terminal and in a log file."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.progress.display import Display
from nnjit.progress.lines import Lines
from nnjit.progress.notebook import Notebook
from nnjit.progress.place import display_for
from nnjit.progress.terminal import Terminal
from nnjit.progress.values import last_row, losses, metrics
from tests.progress.test_on_epoch import CONFIG, with_training


class Stream(io.StringIO):
    """A standard error that may be a terminal, and may be gone."""

    def __init__(self, *, is_terminal: bool, is_gone: bool = False) -> None:
        super().__init__()
        self._is_terminal, self._is_gone = is_terminal, is_gone

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        if self._is_gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


Printed = Callable[..., str]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Printed:
    """The output of a run to standard error, with every state shown."""

    def train(config: dict[str, Any], *, is_terminal: bool, is_gone: bool = False) -> str:
        stream = Stream(is_terminal=is_terminal, is_gone=is_gone)
        monkeypatch.setattr(sys, "stderr", stream)
        for kind in (Terminal, Lines):
            monkeypatch.setattr(kind, "interval", 0.0)
        nnjit.fit(config, output=tmp_path / "run", quiet=False)
        return stream.getvalue()

    return train


def test_a_terminal_shows_stages_and_a_bar_with_losses_and_metrics(printed: Printed) -> None:
    text = printed(CONFIG, is_terminal=True)
    stages = [text.index(words) for words in ("\rloading the data", "\rcompiling", "0/12")]
    assert stages == sorted(stages)
    last = re.findall(r"12/12 .*?loss=([\d.e-]+), val_loss=([\d.e-]+), val_mae=([\d.e-]+), mae=", text)
    assert last, text


def test_a_log_file_gets_a_line_with_all_that_matters(printed: Printed) -> None:
    lines = printed(CONFIG, is_terminal=False).splitlines()
    number = r"[\d.e+-]+"
    pattern = (
        rf"epoch (\d+)/12: train_loss {number}, validation_loss {number}, validation_mae {number}, "
        rf"train_mae {number}, learning_rate 0\.001; {number} (epochs/s|s/epoch), \d+ s left"
    )
    epochs = [int(match[1]) for line in lines if (match := re.fullmatch(pattern, line))]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 12


def test_a_short_training_leaves_no_line_in_a_log_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stream = Stream(is_terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(Lines, "interval", 1e9)
    nnjit.fit(CONFIG, output=tmp_path / "run", quiet=False)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_stream_that_is_gone_ends_no_training(is_terminal: bool, printed: Printed, tmp_path: Path) -> None:
    printed(CONFIG, is_terminal=is_terminal, is_gone=True)
    assert nnjit.load(tmp_path / "run").metrics["status"] == "completed"


def test_a_study_counts_the_epochs_of_all_members(printed: Printed) -> None:
    lines = printed(with_training(replicas=3), is_terminal=False).splitlines()
    assert lines[-1].startswith("epoch 36/36: ")


KERNEL, SHELL = SimpleNamespace(kernel=object()), SimpleNamespace()


@pytest.mark.parametrize(
    ("quiet", "is_terminal", "shell", "kind"),
    [
        (True, True, None, Display),
        (None, True, None, Display),
        (False, True, None, Terminal),
        (False, False, None, Lines),
        (None, False, KERNEL, Notebook),
        (False, False, KERNEL, Notebook),
        (True, False, KERNEL, Display),
        (None, True, SHELL, Display),
    ],
)
def test_the_display_suits_the_place(
    quiet: bool | None, is_terminal: bool, shell: Any, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Stream(is_terminal=is_terminal))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert type(display_for(quiet)) is kind


def test_without_a_standard_error_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert type(display_for(False)) is Display


def test_the_values_of_several_outputs_are_told_apart() -> None:
    names = ("train_loss", "train_kind_loss", "validation_loss", "train_kind_accuracy", "train_seconds")
    row = last_row({name: np.array([1.0]) for name in (*names, "learning_rate", "penalty")})
    assert list(losses(row)) == ["train_loss", "train_kind_loss", "validation_loss"]
    assert list(metrics(row)) == ["train_kind_accuracy"]
