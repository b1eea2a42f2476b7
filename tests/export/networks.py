"""Small networks to export, with random weights, and the interpreter's predictions."""

# ruff: noqa: E501  # one case is one line

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.config import read
from nnjit.data import Affine, Padding, Scaling, Target
from nnjit.data.encoding.encoder import InputColumn
from nnjit.export.network import Network, outputs_of
from nnjit.ir import interpret
from nnjit.nn.activations import ACTIVATIONS
from nnjit.training import Run
from nnjit.training.graphs.step import prediction_graph
from nnjit.training.inputs import Inputs
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.outputs import DataDescription
from nnjit.training.setup.task import make_task
from tests.nn.test_layers import ROWS

HEAD = ({"type": "flatten"}, {"type": "dense", "name": "head"})
COLUMNS = (
    InputColumn("age", "number", 0, 1),
    InputColumn("island", "category", 1, 1, ("(other)", "Biscoe", "Dream"), True),
    InputColumn("a note", "text", 2, 3, ("(padding)", "(unknown)", "ill", "well"), True),
    InputColumn("sex", "flag", 5, 1),
    InputColumn("colour", "category", 6, 2, ("red", "blue")),
)


@dataclass(frozen=True)
class Case:
    """A network to export.

    Args:
        head: whether a `flatten` and a `dense` layer follow, with one value for each class.
        padded: whether the last steps of sequences are 0.
        whole: whether inputs are integers from 0 to 2.
        more: further options of the experiment.
    """

    layers: tuple[Any, ...]
    shape: tuple[int, ...]
    head: bool = True
    padded: bool = False
    whole: bool = False
    classes: tuple[str, ...] | None = ("no", "yes", "perhaps")
    targets: tuple[str, ...] = ("answer",)
    scaling: Scaling = field(default_factory=Scaling)
    columns: tuple[InputColumn, ...] = ()
    outputs: tuple[Target, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def network_of(case: Case, seed: int = 0) -> tuple[Network, np.ndarray, Any, Any]:
    """The network of a case, inputs (5, …), its predictions, and its probabilities, if any."""
    losses = {} if case.outputs else {"loss": "softmax_cross_entropy" if case.classes else "squared_error"}
    given = {
        "data": _TABLE if case.columns else _ARRAYS,
        "model": [*case.layers, *(HEAD if case.head else ())],
        **losses,
        **case.more,
    }
    experiment = read(given).experiment
    described = DataDescription(
        input_shape=case.shape,
        output_size=len(case.classes or case.targets),
        classes=None if case.outputs else case.classes,
        scaling=case.scaling,
        targets=case.outputs,
        target_names=case.targets,
        columns=case.columns,
    )
    task, outputs = make_task(experiment, described)
    features = tuple(f"{c.name}_{k}" for c in case.columns for k in range(c.size))
    run = Run(Path("runs/example"), experiment, CompiledTask(task, batch=1), outputs.decoder, features)
    theta = _weights(task.model, seed, experiment.dtype)
    arrays = {n: np.asarray(a) for n, a in task.model.arrays.unflatten(theta).items()}
    network = Network(
        "example", task, arrays, case.scaling, features, case.columns, outputs_of(run, case.targets)
    )
    x = _inputs(case, seed)
    taken = Inputs(task.model, features, case.scaling, theta.dtype.name).read(x)
    (predicted,) = interpret(prediction_graph(task), [*task.model.split(theta).values(), taken])
    scores = outputs.decoder.scores(predicted) if outputs.decoder.has_classes else None
    return network, x, outputs.decoder.decide(predicted), scores


def _weights(model: Any, seed: int, dtype: str) -> np.ndarray:
    """Normal numbers, but positive variances, and zeros for vectors of padding."""
    theta = model.initialize(seed, dtype)
    rng = np.random.default_rng(seed)
    for entry in model.arrays:
        own = theta[entry.offset : entry.offset + entry.size]
        is_padded = "embedding" in entry.name
        own += (0 if is_padded else 0.3) * rng.normal(size=entry.size).astype(dtype)
        if entry.name.endswith("running_variance"):
            own[:] = np.abs(own) + 0.5
    return theta


def _inputs(case: Case, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, *case.shape))
    if case.whole:
        x = rng.integers(0, 3, x.shape).astype(float)
    for c in case.columns:
        if c.entries:
            high = len(c.entries) if c.is_indexed else 2
            x[:, c.start : c.start + c.size] = rng.integers(0, high, (5, c.size))
    if case.padded:
        for row, length in enumerate((3, 1, 2, 3, 2)):
            x[row, length:] = 0.0
    return x.astype(np.float32).astype(np.float64)


def _joining(options: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> Case:
    """A layer with several inputs, each made from the data by its own layer."""
    layers: list[dict[str, Any]] = []
    for k, shape in enumerate(shapes):
        layers.append({"type": "dense", "units": math.prod(shape), "name": f"d{k}", "from": "input"})
        layers.append({"type": "reshape", "shape": shape, "name": f"r{k}"})
    names = tuple(f"r{k}" for k in range(len(shapes)))
    return Case((*layers, {**options, "from": names}), (3,))


def _of_row(options: dict[str, Any], shapes: Sequence[tuple[int, ...]]) -> Case:
    """The case of a row of the table of layers."""
    if len(shapes) > 1:
        return _joining(options, shapes)
    return Case((options,), shapes[0], whole=options["type"] == "embedding")


def _standard(shape: tuple[int, ...], shift: float = 0.2) -> Affine:
    rng = np.random.default_rng(7)
    return Affine("standard", shift + rng.normal(size=shape), 0.5 + rng.random(shape))


AWKWARD = (
    InputColumn("m²", "category", 0, 1, ('"""', "\\n", "é\n", "'"), True),
    InputColumn("m2", "category", 1, 1, ("a", "b"), True),
    InputColumn('say "x"\\', "number", 2, 1),
)
_ARRAYS = {"type": "inline", "x": [0.0, 1.0], "y": [0.0, 1.0]}
_TABLE = {"type": "table", "target": "answer"}
STEPS = {"type": "lstm", "units": 2, "mask_value": 0.0}
WORDS = {"type": "embedding", "entries": 3, "size": 2, "padding_index": 0}
TWO = (Target("kind", 0, 1, ("a", "b", "c")), Target("size", 1, 2, None))
SEVERAL = {
    "losses": {
        "kind": {"loss": "softmax_cross_entropy", "target": "kind"},
        "size": {"loss": "squared_error", "target": "size"},
    }
}
PLAIN = ({"type": "dense", "units": 4, "activation": "tanh"},)
# fmt: off
CASES: dict[str, Case] = {
    **{f"{row[0]}{row[1]}": _of_row(row[0], row[1]) for row in ROWS},
    **{name: Case(({"type": "dense", "units": 4, "activation": name},), (3,)) for name in ACTIVATIONS},
    "features": Case(("features",), (8,), columns=COLUMNS),
    "features with sizes": Case(({"type": "features", "size": 2, "dropout": 0.5},), (8,), columns=COLUMNS),
    "an embedding of a column": Case(({"type": "embedding", "size": 2, "from": "island"},), (8,), columns=COLUMNS),
    "a name that is a keyword": Case(({"type": "dense", "units": 2, "name": "lambda"},
                                      {"type": "dense", "units": 2, "name": "np"}), (3,)),
    "a name that is a function": Case(({"type": "dense", "units": 2, "name": "predict"},
                                       {"type": "dense", "units": 2, "name": "forward"}), (3,)),
    "awkward names": Case(({"type": "features", "name": "_in"}, {"type": "dense", "units": 2, "name": "sigmoid", "activation": "sigmoid"}),
                          (3,), columns=AWKWARD, classes=('"""', "\\", "\u2028"), targets=("answer",)),
    "an rnn over padding": Case(({**STEPS, "type": "rnn"},), (4, 2), padded=True),
    "an rnn with another function": Case(({"type": "rnn", "units": 2, "activation": "sigmoid"},), (4, 2)),
    "an rnn with relu": Case(({"type": "rnn", "units": 2, "activation": "relu"},), (4, 2)),
    "an lstm over padding": Case(({**STEPS, "return_sequences": True},), (4, 2), padded=True),
    "a gru over padding": Case(({**STEPS, "type": "gru", "reverse": True},), (4, 2), padded=True),
    "an lstm from the end": Case(({"type": "lstm", "units": 2, "reverse": True},), (4, 2)),
    "a gru of two": Case(({"type": "gru", "units": 2, "return_sequences": True, "reverse": True},
                          {"type": "gru", "units": 3}), (4, 2)),
    "attention over padding": Case(({"type": "attention", "heads": 2, "mask_value": 0.0},), (4, 2), padded=True),
    "causal attention over padding": Case(({"type": "attention", "mask_value": 0.0, "causal": True},), (4, 2), padded=True),
    "a mean over padding": Case(({"type": "global_average_pool", "mask_value": 0.0},), (4, 2), padded=True),
    "an lstm after an embedding": Case((WORDS, STEPS), (4,), whole=True),
    "padding through a layer": Case(({"type": "dense", "units": 3}, STEPS), (4, 2), padded=True),
    "scaled inputs": Case(PLAIN, (3,), scaling=Scaling(_standard((3,)))),
    "inputs scaled alike": Case(PLAIN, (3, 2), scaling=Scaling(Affine("unit", np.array(0.0), np.array(255.0)))),
    "large inputs": Case(PLAIN, (3,), scaling=Scaling(_standard((3,), 1000.0))),
    "scaled with padding": Case((STEPS,), (4, 2), padded=True,
                                scaling=Scaling(_standard((4, 2)), padding=(Padding(0.0),))),
    "scaled with flat padding": Case(({"type": "reshape", "shape": (4, 2)}, STEPS), (8,),
                                     scaling=Scaling(_standard((8,)), padding=(Padding(0.0, np.arange(8).reshape(4, 2)),))),
    "values": Case(PLAIN, (3,), classes=None, targets=("size",), scaling=Scaling(None, _standard((1,), 30.0))),
    "several values": Case(PLAIN, (3,), classes=None, targets=("a", "b"), scaling=Scaling(_standard((3,)), _standard((2,)))),
    "rates": Case(PLAIN, (3,), classes=None, targets=("count",), more={"loss": "poisson"}),
    "two classes": Case((*PLAIN, {"type": "dense", "units": 1, "name": "logit"}), (3,), head=False,
                        classes=("no", "yes"), more={"loss": "binary_cross_entropy"}),
    "probabilities of the last layer": Case((*PLAIN, {"type": "dense", "activation": "sigmoid"}), (3,), head=False,
                                            classes=("no", "yes"), more={"loss": "squared_error"}),
    "several outputs": Case((*PLAIN, {"type": "dense", "units": 3, "name": "kind", "from": "dense_1"},
                             {"type": "dense", "units": 2, "name": "size", "from": "dense_1"}), (3,), head=False,
                            targets=("kind", "size_1", "size_2"), outputs=TWO, more=SEVERAL),
    "float64": Case(({"type": "dense", "units": 3, "activation": "elu"}, {"type": "reshape", "shape": (3, 1)},
                     {"type": "gru", "units": 2}), (3,), more={"dtype": "float64"}),
}
# fmt: on


@cache
def example(name: str) -> tuple[Network, np.ndarray, Any, Any]:
    """The network of the case of this name, its inputs, predictions, and probabilities."""
    return network_of(CASES[name])
