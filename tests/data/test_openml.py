"""The `openml` source, given a response like the server's in its cache."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from nnjit.data import Dataset, sources
from nnjit.errors import DataError

ARFF = """\
@RELATION plants
@ATTRIBUTE id NUMERIC
@ATTRIBUTE height REAL
@ATTRIBUTE soil {clay, sand}
@ATTRIBUTE yield REAL
@ATTRIBUTE kind {oak, ash, elm}
@DATA
1, 2.5, clay, 10, oak
2, 3.5, sand, 20, ash
3, ?, ?, 30, oak
4, 1.5, sand, 40, ash
"""
COLUMNS = (
    ("id", "numeric"),
    ("height", "numeric"),
    ("soil", "nominal"),
    ("yield", "numeric"),
    ("kind", "nominal"),
)


def answer(cache: Path) -> None:
    """Cache the server's answers for data set 7, "plants", as scikit-learn does."""
    gaps = {"height": "1", "soil": "1"}
    features = [
        {
            "index": str(k),
            "name": name,
            "data_type": kind,
            "is_target": "true" if name == "kind" else "false",
            "is_ignore": "false",
            "is_row_identifier": "true" if name == "id" else "false",
            "number_of_missing_values": gaps.get(name, "0"),
        }
        for k, (name, kind) in enumerate(COLUMNS)
    ]
    description = {
        "id": "7",
        "name": "plants",
        "version": "1",
        "description": "Plants.",
        "format": "ARFF",
        "status": "active",
        "url": "https://www.openml.org/data/v1/download/7/plants.arff",
        "file_id": "7",
        "md5_checksum": hashlib.md5(ARFF.encode()).hexdigest(),
    }
    listed = {"data": {"dataset": [{"did": 7, "name": "plants", "version": 1, "status": "active"}]}}
    answers = {
        "api/v1/json/data/list/data_name/plants/limit/2/data_version/1": listed,
        "api/v1/json/data/7": {"data_set_description": description},
        "api/v1/json/data/features/7": {"data_features": {"feature": features}},
        "api/v1/json/data/qualities/7": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "4.0"}]}
        },
    }
    texts = {path: json.dumps(data) for path, data in answers.items()} | {
        "data/v1/download/7/plants.arff": ARFF
    }
    for path, text in texts.items():
        file = cache / "openml" / "openml.org" / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(text.encode(), mtime=0))


def load(start: Path, takes: str = "values", **options: object) -> Dataset:
    answer(start / "kept")
    data = sources["openml"](cache="kept", **options).suited(takes).load(start).encoded(None)
    return replace(data, x=data.x[:])


@pytest.mark.parametrize("options", [{"id": 7}, {"name": "plants", "version": 1}])
def test_kept_data_set_is_read_with_its_categories(options, tmp_path):
    data = load(tmp_path, missing="drop", **options)
    assert data.features == ("height", "soil=clay", "soil=sand", "yield")
    np.testing.assert_array_equal(data.x, [[2.5, 1, 0, 10], [3.5, 0, 1, 20], [1.5, 0, 1, 40]])
    assert (data.y.tolist(), data.classes, data.targets) == ([1, 0, 0], ("ash", "oak"), ("kind",))
    assert "OpenML" in data.description


def test_missing_values_take_the_mean(tmp_path):
    data = load(tmp_path, id=7, missing="mean")
    assert data.features[:2] == ("height", "height=(missing)")
    assert data.features[2:] == ("soil=clay", "soil=sand", "soil=(missing)", "yield")
    np.testing.assert_allclose(data.x[2], [2.5, 1, 0, 0, 1, 30], rtol=1e-15)


def test_numeric_target_holds_values(tmp_path):
    data = load(tmp_path, id=7, target="yield", missing="drop")
    assert (data.classes, data.targets) == (None, ("yield",))
    np.testing.assert_array_equal(data.y, [[10], [20], [40]])
    assert load(tmp_path, id=7, target=("yield",), task="classification", missing="drop").classes == (
        "10",
        "20",
        "40",
    )


@pytest.mark.parametrize(
    ("options", "fragments"),
    [
        ({"id": 7, "missing": "error"}, ["row 3", 'column "height"', 'column "soil"', "no value"]),
        ({"id": 7, "target": "yields"}, ["cannot be used", "yields"]),
        (
            {"id": 7, "task": "regression", "missing": "drop"},
            ['column "kind": expected a number, got "oak"', "task: classification"],
        ),
        ({"id": 7, "target": ("yield", "height"), "task": "classification"}, ["missing"]),
    ],
)
def test_what_cannot_be_used_is_said(options, fragments, tmp_path):
    with pytest.raises(DataError) as error:
        load(tmp_path, **options)
    assert error.value.path == ("id",)
    assert all(fragment in error.value.message for fragment in ["number 7", *fragments])


def test_no_connection_is_said(tmp_path, monkeypatch):
    def refused(*args: object, **options: object) -> Bunch:
        raise OSError("name or service not known")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", refused)
    with pytest.raises(
        DataError, match=r'"plants" version 1: cannot reach openml.org \(name or service not known\)'
    ):
        sources["openml"](name="plants", version=1).load(tmp_path)


def test_sparse_data_is_filled_out():
    from scipy.sparse import csr_matrix

    bunch = Bunch(
        data=csr_matrix([[0.0, 2.0], [3.0, 0.0]]),
        target=np.array(["b", "a"], object),
        feature_names=["u", "v"],
        target_names=["kind"],
        categories={},
    )
    data = sources["openml"](id=7).parsed(bunch).encoded(None)
    np.testing.assert_array_equal(data.x[:], [[0, 2], [3, 0]])
    assert data.y.tolist() == [1, 0]
