"""The names of files and folders in a run folder."""

from __future__ import annotations

import re
from pathlib import Path

# fmt: off
CONFIG               = "config.yaml"                # the resolved config
ENVIRONMENT          = "environment.json"           # versions and machine
MODEL                = "model.json"                 # layers and shapes
DATA                 = "data.json"                  # features, classes, scaling
FINGERPRINT          = "fingerprint.json"           # what a resumed training must share with the run
INITIAL_WEIGHTS      = "initial_weights.json"       # which of them were loaded
HISTORY              = "history.csv"                # a row for each epoch
DIAGNOSIS            = "diagnosis.csv"              # gradients and updates of layers
LEARNING_RATE_SEARCH = "learning_rate_search.json"  # the range test of `learning_rate: find`
CHECKPOINT           = "checkpoint.safetensors"     # the state that a training resumes from
BEST                 = "best.safetensors"           # weights of the best epoch
LAST                 = "last.safetensors"           # weights of the last epoch
METRICS              = "metrics.json"               # the final metrics; in a study, their aggregates
PREDICTIONS          = "predictions.npz"            # predictions for the test part
IMPORTANCE           = "importance.json"            # what is lost without each column
EXPLANATION          = "explanation.json"           # formulas, graph and kernels
REPORT               = "report.html"
LOSS_CURVE           = "loss_curve.png"

SEARCH               = "search.json"                # the trials of a search
TRIALS               = "trials.csv"                 # the same as a table, the best first
BEST_CONFIG          = "best.yaml"                  # the config of the best trial
BEST_RUN             = "best"                       # folder of that trial, trained anew
JOURNAL              = "journal.log"                # what Optuna knows of the trials, to go on with
MEMBERS              = "members.safetensors"        # of a study: what its members left

LOCK                 = "training.lock"              # the process that trains here, while it does

KERNELS              = "kernels"                    # folder of the compiled source
CHECKPOINTS          = "checkpoints"                # folder of the weights kept by `training.checkpoints`
# fmt: on

_KEPT_WEIGHTS = re.compile(r"epoch_(\d+)\.safetensors")


def weights(which: str) -> str:
    """The file of the `"best"` or the `"last"` weights."""
    return {"best": BEST, "last": LAST}[which]


def kept_weights(epoch: int) -> str:
    """The file in `checkpoints` with the weights after an epoch."""
    return f"epoch_{epoch}.safetensors"


def epochs_kept(folder: Path) -> list[int]:
    """The epochs whose weights are in a folder `checkpoints`, in ascending order."""
    found = (_KEPT_WEIGHTS.fullmatch(file.name) for file in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def member(number: int) -> str:
    """The folder of a study's member, counted from 1, below the folder named after the study's kind."""
    return str(number)
