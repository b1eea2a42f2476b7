"""Mistakes in a config are reported before anything is compiled, which takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CONFIG = """\
data: {type: sklearn, dataset: iris, split: {validation: 0.2, test: 0.2}}
model: [{type: dense, units: 4, activation: relu, name: hidden}, {type: dense, units: 3}]
loss: softmax_cross_entropy
training: {epochs: 2}
"""
FULL = "training={epochs: 1, batch_size: full}"
RANKED = (
    "data={type: inline, x: [[1], [2], [3], [4]], y: [0, 1, 0, 0], split: {validation: 0.5, shuffle: false}}",
    *("loss=binary_cross_entropy", "model=[dense]", "metrics=[roc_auc]"),
    "training.early_stopping.monitor=validation_roc_auc",
)
NEGATIVE = ("loss=poisson", "data={type: inline, x: [[1], [2]], y: [-1.5, 1.5]}", "model=[dense]")
WINE = ("data.split={test: 0.2}", "validation_data={type: sklearn, dataset: wine}")
UNMASKED = (
    "model[0]={type: embedding, entries: 9, size: 2}",
    "model[1]={type: gru, units: 3, mask_value: 0}",
)
FROZEN = ("model[0].trainable=false", "model[1].trainable=false")

# fmt: off
WRONG: list[tuple[tuple[str, ...] | dict[str, str], str]] = [
    # overrides of the config, or options of `fit`; part of the message
    (("training.epochs=0",),                         "training.epochs: expected a whole number >= 1"),
    (("training.epoch=1",),                          'unknown option "epoch"; did you mean "epochs"?'),
    (("model[0].type=dens",),                        'unknown layer "dens"; did you mean "dense"?'),
    (("model[1].from=hiden",),                       'did you mean "hidden"?'),
    (("seed=x", "loss=huge"),                        'unknown loss "huge"'),
    (("data={type: table, file: none.csv, target: y}",), "none.csv"),
    (("data={type: table, file: t.csv, target: z}",), "no column"),
    (WINE,                                           "validation_data"),
    (("data.dataset=diabetes",),                     "softmax_cross_entropy needs"),
    (NEGATIVE,                                       "poisson needs"),
    (("model[1].units=4",),                          "the model has 4 outputs, the data 3 classes"),
    (("model[0]={type: lstm, units: 4}",),           "lstm takes inputs of shape"),
    (UNMASKED,                                       "mask_value"),
    (("metrics=[r2]",),                              "r2 needs targets that are values"),
    (("metrics=[accuracy, accuracy]",),              '"accuracy" is there already'),
    (("training.early_stopping.monitor=validation_acuracy",), 'did you mean "validation_accuracy"?'),
    (("training.target={metric: test_loss, value: 0}",), '"test_loss"'),
    (RANKED,                                         '"validation_roc_auc" has no value'),
    (("training.class_weights={rosa: 2}",),          'the data has no class "rosa"'),
    (("positive=rosa",),                             "positive"),
    (("threshold=best_f1",),                         "threshold"),
    (("schedule={type: cosine, warmup: 3}",),        "a warm-up of 3 epochs is longer than the training"),
    (("schedule={type: cosine, floor: 1}",),         "schedule.floor"),
    (("averaging={type: swa, start: 3}",),           "averaging.start"),
    (("optimizer.learning_rate_factors={hiden: 2}",), 'no layer is called "hiden"'),
    (("training.drop_last=true", "training.batch_size=1000"), "training.batch_size: expected at most"),
    (("training.epochs=1000000000", "training.batch_size=4"), "training.epochs: expected fewer than"),
    (("model[0]=batch_norm", "training.batch_size=1"), "batch_norm"),
    (FROZEN,                                         "nothing to train"),
    (("model[0].units=1000000000",),                 "this machine has"),
    (("optimizer=lbfgs",),                           "lbfgs"),
    (("optimizer=levenberg_marquardt", FULL),        "levenberg_marquardt"),
    (("model.initial_weights=none.safetensors",),    "none.safetensors"),
    (("training.folds=3",),                          "each fold is a validation part"),
    (("data.split={}", "training.folds=1000"),       "training.folds"),
    (("training.replicas=2", "schedule.warmup=3"),   "a warm-up of 3 epochs is longer"),
    (("loss=null", "losses={hidden: squared_error, nothing: hinge}"), "losses"),
    ({"output": "t.csv"},                            "t.csv exists already"),
    ({"output": "t.csv/run"},                        "the run folder cannot be made (Not a directory)"),
    ({"initial_run": "none"},                        "there is no such weights file or run folder"),
]
# fmt: on

PROGRAM = """
import json, sys, nnjit
from nnjit.errors import UserError

def message(given):
    try:
        nnjit.fit("a.yaml", **(given if isinstance(given, dict) else {"overrides": given}))
    except UserError as error:
        return str(error)
    return "no error"

print(json.dumps([(message(g), "numba" in sys.modules) for g in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bool]]:
    """One process's message for each row, and whether it has imported Numba by then."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "a.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "t.csv").write_text("x,y\n" + "1.5,2.5\n3.5,4.5\n" * 20, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([given for given, _ in WRONG]),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[tuple[str, bool]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("row", "part"), [*enumerate(part for _, part in WRONG)])
def test_a_mistake_is_said_before_anything_is_compiled(
    row: int, part: str, said: list[tuple[str, bool]]
) -> None:
    message, is_compiling = said[row]
    assert part in message
    assert not is_compiling
