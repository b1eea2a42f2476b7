"""`docs/results.md` has a row for each shipped config, as `scripts/make_results.py` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import make_results
from scripts.make_results import FILES, NETWORKS, OPTIMIZERS, PAGE, rows_of, written

CONFIGS = Path(__file__).parents[1] / "configs"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_rows_are_the_shipped_configs() -> None:
    assert set(NETWORKS) == {path.stem for path in CONFIGS.glob("*.yaml")}
    assert set(OPTIMIZERS) == {path.stem for path in (CONFIGS / "optimizers").glob("*.yaml")}
    assert list(rows_of(TEXT)) == [*NETWORKS, *OPTIMIZERS]
    assert set(FILES) < set(NETWORKS)


def test_the_tables_are_those_of_the_script() -> None:
    assert written(TEXT, rows_of(TEXT)) == TEXT, "run python scripts/make_results.py"
    about = {name: row.about for name, row in NETWORKS.items()} | dict(OPTIMIZERS)
    assert {name: cells[1] for name, cells in rows_of(TEXT).items()} == about


def test_a_row_is_measured_again_and_one_without_data_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "results.md"
    page.write_text(TEXT.replace("| 33 |", "| 34 |"), encoding="utf-8")
    monkeypatch.setattr(make_results, "PAGE", page)
    make_results.main(["xor", "mnist", "--data", str(tmp_path)])
    assert page.read_text(encoding="utf-8") == TEXT
