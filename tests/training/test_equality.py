"""Compiled training equals interpreted training: the same run with NumPy instead of every kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

from nnjit import config
from nnjit.codegen import BestEpoch, EpochTotals, Interface, ThreadTeam, Turns
from nnjit.ir import Graph, Node, interpret
from nnjit.runs import file_names
from nnjit.training import Run, train
from nnjit.training.setup import compiled_task
from nnjit.training.structure import programs

CONFIGS = Path(__file__).parents[2] / "configs"
# Their layers are in test_threads and test_workloads.
ELSEWHERE = ("adding", "embeddings", "lenet_mnist", "nielsen", "sunspots")
NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml") if path.stem not in ELSEWHERE)
SMALL = ("lecture_chain", "xor")
QUICK = (*SMALL, "wine", "residual")
EPOCHS = 3


def interpret_trainings(patch: pytest.MonkeyPatch) -> None:
    """Let NumPy replace every kernel of the trainings that start from here on."""
    patch.setattr("nnjit.codegen.program.Compiled", Interpreted)
    patch.setattr("nnjit.codegen.program.CompiledEpoch", InterpretedEpoch)
    patch.setattr(compiled_task, "KEPT", programs.Kept())
    patch.setattr(programs, "ON_DISK", False)


class Interpreted:
    """`Compiled`, but interpreted."""

    path = Path(__file__)
    program = SimpleNamespace(source="stands for the kernel's source")

    def __init__(self, graph: Graph, *, title: str) -> None:
        self.graph = graph

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        return interpret(self.graph, arguments)


class InterpretedEpoch:
    """`CompiledEpoch`, but interpreted: gather a batch, evaluate a step, overwrite the state."""

    path, program = Interpreted.path, Interpreted.program
    kernels: tuple[object, ...] = ()
    code = SimpleNamespace(tables=())
    _watched: Sequence[np.ndarray] = ()

    def __init__(self, graph: Graph, interface: Interface, *, evaluation: Graph | None, **_: object) -> None:
        self.graph, self.interface, self._evaluation = graph, interface, evaluation

    def compile(self) -> None:
        """Nothing."""

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(n.type.row_size for n in self.interface.totals_of(self.graph))

    def twin(self) -> InterpretedEpoch:
        """Return itself: it has no memory."""
        return self

    def run(
        self,
        turns: Turns,
        order: np.ndarray,
        arguments: Mapping[str, np.ndarray],
        totals: np.ndarray,
        *,
        best: tuple[np.ndarray, np.ndarray],
        team: ThreadTeam,
    ) -> int:
        evaluate, interface = self._evaluation, self.interface
        for turn in range(turns.begin, turns.end):
            epoch, step = divmod(turn, turns.steps)
            first = epoch * turns.stride + step * turns.batch
            rows = slice(first, min(first + turns.batch, epoch * turns.stride + turns.rows))
            outputs = interpret(self.graph, self._of_step(arguments, turn, order, rows))
            for name, new in zip(interface.updates, outputs, strict=False):
                np.copyto(arguments[name], new)
            row = totals[epoch - turns.begin // turns.steps, None]
            own = outputs[len(interface.updates) :][: interface.totals]
            self._watched = [np.ravel(v) for v in outputs[len(outputs) - interface.watched :]]
            self.layout.of_step(row)[0] += np.concatenate([np.ravel(v) for v in own])
            if step == turns.steps - 1:
                judged = self.layout.of_step(row)[0]
                if evaluate is not None:
                    pairs = zip(evaluate.names, evaluate.inputs, strict=True)
                    given = [
                        arguments[k].reshape(n.shape) if n.shape == () else arguments[k] for k, n in pairs
                    ]
                    found = interpret(evaluate, given)
                    judged = self.layout.of_evaluation(row)[0]
                    judged[:] = np.concatenate([np.ravel(v) for v in found])
                kept = np.concatenate([arguments[name] for name in interface.kept])
                self._keep(judged[0] / judged[1], kept, *best)
        return turns.end

    def watched(self, team: ThreadTeam) -> Sequence[np.ndarray]:
        """The watched outputs of the latest step."""
        return self._watched

    @property
    def layout(self) -> EpochTotals:
        evaluation = self._evaluation.outputs if self._evaluation is not None else ()
        return EpochTotals(self._size(self.interface.totals_of(self.graph)), self._size(evaluation))

    def totals(self, epochs: int) -> np.ndarray:
        return np.zeros((epochs, self.layout.width))

    def _size(self, nodes: Sequence[Node]) -> int:
        return sum(n.type.row_size for n in nodes)

    def _keep(self, loss: float, theta: np.ndarray, best: np.ndarray, kept: np.ndarray) -> None:
        """Count an epoch, and keep its params if they are best."""
        now = BestEpoch.of(best)
        now = now._replace(done=now.done + 1)
        if loss < now.loss - (now.min_delta if np.isfinite(now.loss) else 0):
            now = now._replace(loss=loss, epoch=now.done)
            np.copyto(kept[: len(theta)], theta)  # frozen arrays come after
        is_exhausted = 0 < now.patience <= now.done - now.epoch
        best[:] = now._replace(is_exhausted=float(is_exhausted)).array()

    def _of_step(
        self, arguments: Mapping[str, np.ndarray], step: int, order: np.ndarray, rows: slice
    ) -> list[np.ndarray]:
        given = []
        for name, node in zip(self.graph.names, self.graph.inputs, strict=True):
            argument = arguments[name]
            if node.type.is_batched:
                is_partner = name in self.interface.partners
                given.append(argument[(arguments["partners"] if is_partner else order)[rows]])
            elif node.shape == ():
                given.append(np.asarray(argument[step if name in self.interface.per_step else 0]))
            else:
                given.append(argument)
        return given


def run(name: str, output: Path, real_data: Path | None) -> Run:
    settings = ["dtype=float64", f"training.epochs={EPOCHS}"]
    if name == "mnist":  # 1000 rows to train on instead of 7500, for the interpreter's sake
        settings += [f"data.folder={real_data}/mnist", "data.split.test=0.8"]
    given = config.resolve(CONFIGS / f"{name}.yaml", settings)
    return train(given, config.dump(given), output=output)


def rows() -> list[object]:
    marks = {
        name: [pytest.mark.kernels] * (name in QUICK) + [pytest.mark.small] * (name in SMALL)
        for name in NAMES
    }
    return [pytest.param(name, marks=marks[name]) for name in NAMES]


@pytest.mark.parametrize("name", rows())
def test_compiled_training_equals_interpreted_training(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    real_data = request.getfixturevalue("real_data") if name == "mnist" else None
    compiled = run(name, tmp_path / "compiled", real_data)
    interpret_trainings(monkeypatch)
    interpreted = run(name, tmp_path / "interpreted", real_data)

    # Sums in another order differ by about 1e-15 per step, and Adam enlarges that for tiny gradients.
    for column in compiled.history.keys() - {"train_seconds"}:
        close(compiled.history[column], interpreted.history[column], column)
    for file in (file_names.BEST, file_names.LAST):
        ours, theirs = load_file(compiled.path / file), load_file(interpreted.path / file)
        assert ours.keys() == theirs.keys()
        for weight in ours:
            close(ours[weight], theirs[weight], weight)
    with (
        np.load(compiled.path / file_names.PREDICTIONS) as a,
        np.load(interpreted.path / file_names.PREDICTIONS) as b,
    ):
        for key in ("probability", "grid", "prediction"):
            if key in a.files:
                close(a[key], b[key], key)


def close(a: np.ndarray, b: np.ndarray, what: str) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10, err_msg=what)
