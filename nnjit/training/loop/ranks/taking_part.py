"""Train as a rank other than the first: nothing is written or shown."""

from __future__ import annotations

import math
import time
import warnings
from pathlib import Path

from nnjit.errors import DataWarning, UserError
from nnjit.progress.display import Display
from nnjit.training.loop.callbacks import process_callbacks
from nnjit.training.loop.learning_rate_search import find_learning_rate
from nnjit.training.loop.ranks.meeting import meet, report_failure, share_experiment
from nnjit.training.loop.recorders import MemoryRecorder, runner_type
from nnjit.training.loop.trainer import run_epochs
from nnjit.training.setup.setup import set_up


def take_part() -> None:
    """Train along with the first rank, which has the config and the run folder, if it trains."""
    began, base = time.perf_counter(), Path()
    warnings.simplefilter("ignore", DataWarning)  # the first rank shows them
    experiment = share_experiment(None)
    if experiment is None:
        return
    try:
        setup = set_up(experiment, base)
        runner_type(setup).prepare(setup)
    except UserError as error:
        report_failure(error)
        return
    setup, state = meet(setup, setup.blank_state(), base)
    if math.isnan(setup.learning_rate):
        setup, _ = find_learning_rate(setup, state)
    with process_callbacks(state.epoch, setup.experiment.training.epochs, Display()) as callbacks:
        run_epochs(setup, MemoryRecorder(setup), state, callbacks, began)
