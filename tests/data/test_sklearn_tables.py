"""scikit-learn's tables, read without it, equal the results of its loaders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from sklearn import datasets

from nnjit.data import sklearn_tables, sources
from nnjit.data.sklearn_tables import SklearnTable, read_sklearn_table
from nnjit.data.sources.sklearn import _GENERATORS

NAMES = sorted(set(get_args(sources["sklearn"].model_fields["dataset"].annotation)) - set(_GENERATORS))


def check(table: SklearnTable, name: str) -> None:
    bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
    for ours, theirs in ((table.data, bunch.data), (table.target, bunch.target)):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert table.features == tuple(bunch.feature_names)
    assert table.classes == tuple(map(str, bunch.get("target_names", ())))


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_the_one_that_scikit_learn_loads(name: str) -> None:
    check(read_sklearn_table(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_reads_a_table_that_is_not_where_it_was(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sklearn_tables, "_folder", lambda: tmp_path)
    check(read_sklearn_table(name), name)


def test_a_table_is_read_without_importing_scikit_learn() -> None:
    program = (
        "import sys; from pathlib import Path; from nnjit.data import sources\n"
        f"for name in {NAMES}: sources['sklearn'](dataset=name).load(Path())\n"
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
