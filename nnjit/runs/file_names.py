"""Names of files and folders in a run folder."""

from __future__ import annotations

import re
from pathlib import Path

# fmt: off
CONFIG               = "config.yaml"                # the resolved config
ENVIRONMENT          = "environment.json"           # versions and machine
MODEL                = "model.json"                 # layers and shapes
DATA                 = "data.json"                  # features, classes, scaling
FINGERPRINT          = "fingerprint.json"           # what a resumed run must match
INITIAL_WEIGHTS      = "initial_weights.json"       # which weights were loaded
HISTORY              = "history.csv"                # one row per epoch
DIAGNOSIS            = "diagnosis.csv"              # gradients and updates of layers
LEARNING_RATE_SEARCH = "learning_rate_search.json"  # the range test of `learning_rate: find`
CHECKPOINT           = "checkpoint.safetensors"     # the state to resume from
BEST                 = "best.safetensors"           # weights of the best epoch
LAST                 = "last.safetensors"           # weights of the last epoch
METRICS              = "metrics.json"               # the final metrics; in a study, their aggregates
PREDICTIONS          = "predictions.npz"            # predictions for the test part
IMPORTANCE           = "importance.json"            # what is lost without each column
EXPLANATION          = "explanation.json"           # formulas, graph and kernels
REPORT               = "report.html"
LOSS_CURVE           = "loss_curve.png"

SEARCH               = "search.json"                # the trials of a search
TRIALS               = "trials.csv"                 # the trials as a table, best first
BEST_CONFIG          = "best.yaml"                  # the config of the best trial
BEST_RUN             = "best"                       # folder of the best trial, trained again
JOURNAL              = "journal.log"                # Optuna's record of the trials, to resume from
MEMBERS              = "members.safetensors"        # results of a study's members

LOCK                 = "training.lock"              # held by the process that trains here

KERNELS              = "kernels"                    # folder of the compiled source
CHECKPOINTS          = "checkpoints"                # folder of the weights kept by `training.checkpoints`
# fmt: on

_KEPT_WEIGHTS = re.compile(r"epoch_(\d+)\.safetensors")


def weights(which: str) -> str:
    """The file of the `"best"` or `"last"` weights."""
    return {"best": BEST, "last": LAST}[which]


def kept_weights(epoch: int) -> str:
    """The file in `checkpoints` with the weights after an epoch."""
    return f"epoch_{epoch}.safetensors"


def epochs_kept(folder: Path) -> list[int]:
    """The epochs with weights in a folder `checkpoints`, ascending."""
    found = (_KEPT_WEIGHTS.fullmatch(file.name) for file in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def member(number: int) -> str:
    """The folder of a study's member, from 1, inside the folder named after the study's kind."""
    return str(number)
