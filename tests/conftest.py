"""What several rooms' tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnjit import durable
from nnjit.training.structure import programs

_REPOSITORY = Path(__file__).parents[1]
# What takes longest goes first, the longest of all at the head, so that no worker is left alone with it.
_SLOWEST = (
    "test_workloads", "test_configs", "test_threads", "test_table", "test_equality", "test_layer_state",
    "test_cache", "test_loop", "test_resume", "test_memory", "test_full_batch", "test_gradient_check",
    "test_program", "test_multi_output", "test_functions", "test_weights", "test_random_graphs",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first, and keep the order of all others."""
    place = {name: k for k, name in enumerate(_SLOWEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never in what is loaded by now: that took a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk() -> Iterator[None]:
    """Files are written as ever, but no test waits until the disk has them: that took longer than many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "_sync", lambda *given: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_programs_by_structure_on_disk() -> Iterator[None]:
    """Tests change constants that decide on programs, and another test must not find theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "ON_DISK", False)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets (mnist/, adult/): NNJIT_DATA, or ../shared/data beside the repository."""
    folder = Path(os.environ.get("NNJIT_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NNJIT_DATA to its folder")
    return folder
