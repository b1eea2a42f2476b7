"""What several rooms' tests share."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets (mnist/, adult/): NNJIT_DATA, or ../shared/data beside the repository."""
    folder = Path(os.environ.get("NNJIT_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NNJIT_DATA to its folder")
    return folder
