"""Fixtures and hooks for all tests."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnjit import durable
from nnjit.training.structure import programs

_REPOSITORY = Path(__file__).parents[1]
# The slowest files, slowest first: they start early, so no worker is left alone with one at the end.
_SLOWEST = (
    "test_workloads", "test_configs", "test_threads", "test_table", "test_equality", "test_layer_state",
    "test_cache", "test_loop", "test_resume", "test_memory", "test_full_batch", "test_gradient_check",
    "test_program", "test_multi_output", "test_functions", "test_weights", "test_random_graphs",
    "test_kills", "test_study", "test_study_table", "test_ranks", "test_ranks_on_disk",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first, and keep the order of all others."""
    place = {name: k for k, name in enumerate(_SLOWEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Collect garbage rarely, and never what is loaded by now: that took a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk() -> Iterator[None]:
    """Write files as usual, but without a sync to the disk, which took longer than many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "_sync", lambda *given: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_programs_by_structure_on_disk() -> Iterator[None]:
    """Tests change constants that affect compiled programs, which no other test may find on disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "ON_DISK", False)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets (mnist/, adult/): NNJIT_DATA, or ../shared/data next to the repository."""
    folder = Path(os.environ.get("NNJIT_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NNJIT_DATA to its folder")
    return folder
