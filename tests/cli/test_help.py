"""`nnjit help` explains every name that a config may contain."""

from __future__ import annotations

import pytest

from nnjit.config.help import Help
from nnjit.errors import ConfigError
from tests.cli.command import run
from tests.config.test_catalogue import ENTRIES


@pytest.fixture(scope="module")
def pages() -> Help:
    return Help(width=100)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_each_entry_of_a_registry_has_its_help(kind: str, name: str, pages: Help) -> None:
    assert f"{name} ({kind})\n\n" in pages.about(name)
    assert name in pages.overview()


@pytest.mark.parametrize(("name", "found"), [
    ("csv",                          ["csv (data source)", "file: text"]),
    ("repeat",                       ["repeat (layer)", "times: a whole number >= 1"]),
    ("training.early_stopping",      ["training.early_stopping: a mapping or null; default null",
                                      "patience: a whole number >= 1; default 10"]),
    ("training",                     ["epochs: a whole number >= 1", "batch_size: "]),
    ("optimizer.adam.learning_rate", ['a number > 0 or "find"; default 0.001']),
    ("model.dense.units",            ["model.dense.units: a whole number >= 1 or null"]),
    ("data.split.test",              ["data.split.test: a number >= 0 and < 1; default 0.0"]),
    ("units",                        ["of dense:\n  units: ", "of gru, lstm, rnn:\n  units: "]),
    ("patience",                     ["of training.early_stopping:", "of reduce_on_plateau:"]),
    ("constant",                     ["constant (initializer)", "constant (schedule)"]),
])  # fmt: skip
def test_a_name_is_a_type_a_path_or_an_option(name: str, found: list[str], pages: Help) -> None:
    page = pages.about(name)
    assert [text for text in found if text not in page] == []


@pytest.mark.parametrize(("name", "end"), [
    ("dnse",                'nothing is called "dnse"; did you mean "dense"?'),
    ("training.epoch",      'nothing is called "training.epoch"; did you mean "training"?'),
    ("xyzzy",               'nothing is called "xyzzy"; nnjit help lists all names'),
    ("type",                'nothing is called "type"; did you mean "dtype"?'),
])  # fmt: skip
def test_an_unknown_name_is_told_the_nearest(name: str, end: str, pages: Help) -> None:
    with pytest.raises(ConfigError) as caught:
        pages.about(name)
    assert str(caught.value) == end


def test_lines_are_as_wide_as_asked() -> None:
    narrow = Help(width=60)
    texts = [narrow.overview(), narrow.about("lstm"), narrow.about("optimizer")]
    assert max(len(line) for text in texts for line in text.splitlines()) <= 110
    assert max(len(line) for line in texts[1].splitlines()) <= 60


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("help", "dense") == 0
    assert capsys.readouterr().out.startswith("dense (layer)\n")
    assert run("help") == 0
    assert "Layer: activation" in capsys.readouterr().out
    assert run("help", "dnse") == 2
    assert "did you mean" in capsys.readouterr().err
