"""Save a fitted estimator as a run folder, and write its report.

In addition to a run's files, the folder has `estimator.json`: the parameters, and what `fit` learned from y.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nnjit.durable import replace_file
from nnjit.runs.writing import json_bytes
from nnjit.sklearn.errors import as_value_errors
from nnjit.sklearn.json_values import encode

FILE = "estimator.json"
CARRIED = ("run_", "history_")  # attributes that the other files contain
_PLACE = "RUN"  # the report's name for the folder, which is temporary


def save_estimator(estimator: Any, folder: Path) -> Path:
    """Write the run folder of a fitted estimator and return its path."""
    content = json_bytes(_content(estimator))  # before the folder is made, so a failure leaves none
    with as_value_errors({}):
        estimator.run_.save(folder)
        replace_file(folder / FILE, content)
    return folder


def write_report(estimator: Any, path: Path) -> Path:
    """Write the report of a fitted estimator as a single HTML file."""
    with as_value_errors({}), tempfile.TemporaryDirectory() as folder:
        run = estimator.run_.save(Path(folder) / _PLACE)
        page = run.report().read_text(encoding="utf-8")
    path.write_text(page.replace(str(run.folder), _PLACE), encoding="utf-8")
    return path


def _content(estimator: Any) -> dict[str, Any]:
    parameters = estimator.get_params(deep=False)
    fitted = {k: v for k, v in vars(estimator).items() if k not in parameters and k not in CARRIED}
    return {
        "type": type(estimator).__name__,
        "parameters": {name: encode(name, value) for name, value in parameters.items()},
        "fitted": {name: encode(name, value) for name, value in fitted.items()},
    }
