"""Searches refused before a folder is made or anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nnjit
from nnjit.errors import UserError
from tests.searching.conftest import CONFIG, RATES, searching

RATE = "optimizer.learning_rate"
# fmt: off
REFUSED: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    (
        searching(space={"optimizer.lerning_rate": {"log": [1, 2]}}),
        {},
        r'optimizer: unknown option "lerning_rate"; did you mean "learning_rate"\?',
    ),
    (
        searching(space={"optimizr": {"choices": ["adam"]}}),
        {},
        r'unknown option "optimizr"; did you mean "optimizer"\?',
    ),
    (
        searching(space={"model[0].units": {"choices": [4, -1]}}),
        {},
        r"model\[0\].units: expected a whole number >= 1, got -1",
    ),
    (
        searching(space={"model[0].units": {"uniform": [1, 4]}}),
        {},
        r"model\[0\].units: expected a whole number >= 1, got 1.0",
    ),
    (
        searching(space={"model[7].units": {"choices": [4]}}),
        {},
        r"model has entries 0 to 1, so \[7\] does not exist",
    ),
    (searching(space={"model 0": {"choices": [4]}}), {}, r'"model 0" is not a path'),
    (searching(space={}), {}, "search.space: expected a non-empty mapping"),
    (
        searching(space={RATE: {}}),
        {},
        "expected exactly one of choices, uniform, log, integers, log_integers, got none",
    ),
    (searching(space={RATE: {"log": [1, 2], "uniform": [1, 2]}}), {}, "got uniform and log"),
    (searching(space={RATE: {"log": [0, 2]}}), {}, "a logarithmic range begins above 0, got 0"),
    (
        searching(space={RATE: {"uniform": [2, 1]}}),
        {},
        "the first number is to be below the second, got 2 and 1",
    ),
    (searching(sampler="tep"), {}, 'search.sampler: unknown value "tep"; did you mean "tpe"'),
    (searching(sampler="grid"), {}, "a grid tries every value of each option, so give choices"),
    (
        searching(metric="validation_acuracy"),
        {},
        r'search.metric: no such metric "validation_acuracy"; did you mean',
    ),
    (
        searching(CONFIG | {"data": {"type": "sklearn", "dataset": "iris"}}),
        {},
        "trials are compared on a validation part",
    ),
    (searching(storage="nonsense"), {}, "search.storage: expected the address of a database"),
    (
        searching(storage="sqlite:////nowhere/at/all.db"),
        {},
        "search.storage: the database cannot be used: unable to open",
    ),
    (searching(), {"join": True}, "there is no database to join a search in"),
    (CONFIG, {}, "the config has no section search"),
)
# fmt: on


@pytest.mark.parametrize(("config", "options", "message"), REFUSED, ids=[row[2][:40] for row in REFUSED])
def test_refused_before_anything_is_written(
    config: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        nnjit.search(config, output=tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()


def test_a_database_holds_one_search_of_a_name(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    nnjit.search(searching(trials=2), storage=storage, output=tmp_path / "a")
    with pytest.raises(UserError, match='has a search "flowers" already; join it with --join'):
        nnjit.search(searching(trials=4), storage=storage, output=tmp_path / "b")
    with pytest.raises(UserError, match='the search "flowers" was started with another config'):
        nnjit.search(searching(space=RATES | {"seed": {"choices": [1]}}), storage=storage, join=True)
    with pytest.raises(UserError, match='has no search "other" to join'):
        nnjit.search(searching(CONFIG | {"name": "other"}), storage=storage, join=True)
    joined = nnjit.search(searching(trials=4), storage=storage, join=True, output=tmp_path / "c")
    assert len(joined.trials) == 4
    assert "sqlite" not in (tmp_path / "c" / "config.yaml").read_text(encoding="utf-8")


def test_a_search_resumes_in_its_own_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a resumed search stays in its own folder"):
        nnjit.search(searching(), resume=tmp_path, output=tmp_path / "s")
    with pytest.raises(UserError, match=r"is not the folder of a search: it has no journal.log"):
        nnjit.search(searching(), resume=tmp_path)
