"""Parts of a table: scaled columns, dropped rows, and other tables as held-out parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.data import Prepared, load, load_held_out, prepare, scale, sources, split_and_encode
from nnjit.data.encoding.kinds import Number
from nnjit.errors import DataError

TEXT = """\
size,town,new,since,kind,weight
1,Ulm,yes,2020-01-01,a,1
2,Bonn,no,2020-01-02,b,2
,Ulm,no,2020-01-05,a,1
4,Trier,yes,2020-01-02,b,0
5,Bonn,no,2020-01-03,,1
6,Bonn,yes,2020-01-04,a,3
"""


def source(folder: Path, text: str = TEXT, **options: Any) -> Any:
    (folder / "a.csv").write_text(text)
    return sources["table"](**{"file": "a.csv", "target": "kind", "weights": "weight"} | options)


def prepared(folder: Path, **options: Any) -> Prepared:
    return prepare(source(folder, **options), seed=0, dtype="float64", folder=folder)


@pytest.mark.parametrize("method", ["standard", "min_max", "unit"])
@pytest.mark.parametrize("indexed", [(), ("town",)])
def test_only_quantities_are_scaled(method: str, indexed: tuple[str, ...], tmp_path: Path) -> None:
    plain = prepared(tmp_path, indexed=indexed)
    scaled = prepared(tmp_path, indexed=indexed, scale=method)
    assert plain.encoder is not None
    is_scaled = plain.encoder.is_scaled
    names = [name for name, own in zip(plain.features, is_scaled, strict=True) if own]
    assert names == ["size", "since.year", "since.month", "since.day_of_week", "since.days"]
    x, y = plain.train.x, scaled.train.x
    np.testing.assert_array_equal(y[:, ~is_scaled], x[:, ~is_scaled])
    quantities = x[:, is_scaled]
    if method == "unit":
        expected = quantities / np.abs(quantities).max()
    else:
        low, spread = quantities.min(axis=0), np.ptp(quantities, axis=0)
        if method == "standard":  # a row of weight 2 counts as two rows
            low = np.average(quantities, axis=0, weights=plain.train.w)
            spread = np.sqrt(np.average((quantities - low) ** 2, axis=0, weights=plain.train.w))
        expected = (quantities - low) / np.where(spread > 1e-9, spread, 1)
    np.testing.assert_allclose(y[:, is_scaled], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scaled.scaling.inverse_inputs(y), x, rtol=1e-12, atol=1e-12)


def test_rows_without_a_target_or_of_weight_zero_are_left_out_and_counted(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    assert data.description == (
        "table a.csv: 4 rows of 4 columns, 1 row without a target left out, weighted (1 of weight 0 left out)"
    )
    assert data.train.source_rows is not None
    assert data.train.source_rows.tolist() == [0, 1, 2, 5]
    assert data.train.y.tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(data.train.w, np.array([1, 2, 1, 3]) * 4 / 7)


def test_rows_with_gaps_are_dropped_from_all_parts_alike(tmp_path: Path) -> None:
    own = source(tmp_path, columns={"size": Number(missing="drop")}, split={"test": 0.34})
    data, rows = split_and_encode(own, load(own, tmp_path), seed=0)
    assert data.source_rows is not None
    assert data.source_rows.tolist() == [0, 1, 5]
    assert rows.test is not None
    (tmp_path / "b.csv").write_text("kind,since,new,town,size,weight\na,2020-01-01,no,Ulm,,1\nb,,,Bonn,7,1\n")
    other = sources["table"](file="b.csv", target="kind")
    held_out = load_held_out(other, data, tmp_path)
    assert held_out.x[:][:, 0].tolist() == [7]
    made = scale(own, data, rows, dtype="float32", held_out={"validation": held_out})
    assert made.validation is not None
    assert made.validation.source_rows is not None
    assert made.validation.source_rows.tolist() == [1]


def test_a_table_and_arrays_are_parts_of_one_training(tmp_path: Path) -> None:
    arrays = sources["inline"](x=((1.0, 2.0), (3.0, 5.0), (4.0, 4.0)), y=(0.5, 1.5, 2.5))
    (tmp_path / "b.csv").write_text("y,x2,x1\n3.5,1,2\n4.5,0,0\n")
    table = sources["table"](file="b.csv", target="y")
    data = load(arrays, tmp_path).encoded(None)
    assert load_held_out(table, data, tmp_path, takes="values").x[:].tolist() == [[2, 1], [0, 0]]
    of_table = load(table, tmp_path, takes="values").encoded(None)
    assert load_held_out(arrays, of_table, tmp_path, takes="values").x[:].tolist() == [[2, 1], [5, 3], [4, 4]]
    (tmp_path / "b.csv").write_text("y,x2,x1\n3.5,1,\n4.5,0,0\n")
    with pytest.raises(DataError, match='line 2, column "x1": no value'):
        load_held_out(table, data, tmp_path, takes="values")
