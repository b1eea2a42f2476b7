"""Several outputs: PyTorch's training (scripts/make_multi_output_reference.py), files, and refusals."""

# ruff: noqa: E501  a row is one mistake and its whole message

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnjit
import nnjit.numpy as nnp
from nnjit import config
from nnjit.autodiff import grad
from nnjit.errors import Interrupted, UserError
from nnjit.ir import interpret
from nnjit.nn.formula import symbol
from nnjit.runs import file_names
from nnjit.training import Run, resume
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import set_up
from tests.nn.evaluate_lines import evaluate
from tests.training.conftest import same_bits

REFERENCE = json.loads((Path(__file__).parent / "multi_output_reference.json").read_text(encoding="utf-8"))
EXACT = {"rtol": 1e-12, "atol": 1e-13}  # float64, in another order of sums
LABELS = ["a", "b", "c"]

FLOWERS: dict[str, Any] = {
    "dtype": "float64",
    "data": {
        "type": "sklearn",
        "dataset": "iris",
        "target": ["class", "petal width (cm)"],
        "split": {"validation": 0.2, "test": 0.2},
        "scale": "standard",
        "scale_target": "standard",
    },
    "model": [
        {"type": "dense", "units": 8, "activation": "tanh", "name": "trunk"},
        {"type": "dense", "from": "trunk", "name": "kind"},
        {"type": "dropout", "rate": 0.1, "from": "trunk", "name": "thinned"},
        {"type": "dense", "name": "width"},
    ],
    "losses": {
        "kind": {
            "loss": "softmax_cross_entropy",
            "target": "class",
            "metrics": ["accuracy", {"type": "roc_auc"}],
        },
        "width": {
            "loss": "mean_squared_error",
            "target": "petal width (cm)",
            "weight": 0.5,
            "metrics": ["mae"],
        },
    },
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "training": {"epochs": 6, "batch_size": 16},
}


def reference_config(**options: Any) -> dict[str, Any]:
    """The config of PyTorch's training, with its initial weights in the working directory."""
    save_file({k: np.array(v) for k, v in REFERENCE["start"].items()}, "start.safetensors")
    return {
        "dtype": "float64",
        "data": {
            "type": "inline",
            "x": REFERENCE["x"],
            "y": {"sizes": REFERENCE["sizes"], "kinds": REFERENCE["kinds"]},
        },
        "model": {
            "layers": [
                {"type": "dense", "units": 4, "activation": "tanh", "name": "trunk"},
                {"type": "dense", "from": "trunk", "name": "size"},
                {"type": "dense", "from": "trunk", "name": "kind"},
            ],
            "initial_weights": "start.safetensors",
        },
        "losses": {
            "size": {
                "loss": "mean_squared_error",
                "target": "sizes",
                "weight": REFERENCE["weights"]["size"],
            },
            "kind": {
                "loss": {"type": "softmax_cross_entropy", "label_smoothing": REFERENCE["smoothing"]},
                "target": "kinds",
                "weight": REFERENCE["weights"]["kind"],
            },
        },
        "optimizer": {"type": "gradient_descent", "learning_rate": REFERENCE["rate"]},
        "training": {"epochs": REFERENCE["epochs"], "batch_size": REFERENCE["batch"], "shuffle": False},
        **options,
    }


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train two outputs on iris, with a complete run folder."""
    return nnjit.fit(FLOWERS, output=tmp_path_factory.mktemp("flowers") / "run", report=True)


def test_the_training_is_pytorchs(folder: Path) -> None:
    run = nnjit.fit(reference_config(), output="run")
    last = load_file("run/last.safetensors")
    assert last.keys() == REFERENCE["end"].keys()
    for name, value in REFERENCE["end"].items():
        np.testing.assert_allclose(last[name], value, **EXACT, err_msg=name)
    columns = {"all": "train_loss", "size": "train_size_loss", "kind": "train_kind_loss"}
    for name, losses in REFERENCE["losses"].items():
        np.testing.assert_allclose(run.history[columns[name]], losses, **EXACT, err_msg=name)
    said = run.predict(np.array(REFERENCE["x"]))
    np.testing.assert_allclose(said["size"], REFERENCE["said"], **EXACT)
    probabilities = np.array(REFERENCE["probabilities"])
    np.testing.assert_array_equal(said["kind"], probabilities.argmax(axis=1))
    likely = run.predict_probabilities(np.array(REFERENCE["x"]))
    assert likely.keys() == {"kind"}
    np.testing.assert_allclose(likely["kind"], probabilities, **EXACT)
    assert run.metrics["splits"]["train"]["kind_accuracy"] == np.mean(
        np.array(LABELS)[said["kind"]] == REFERENCE["kinds"]
    )


def test_the_gradient_is_the_weighted_sum_of_those_of_each_output_alone(folder: Path) -> None:
    both = reference_config()
    sides = {
        "size": {"y": REFERENCE["sizes"]},
        "kind": {"y": REFERENCE["kinds"], "task": "classification"},
    }
    gradient = updated(both) - start(both)
    alone = np.zeros_like(gradient)
    for name, data in sides.items():
        entry = both["losses"][name]
        # The other output exists with weight 0, so both models have the same params.
        first, second = [name, "size" if name == "kind" else "kind"]
        layers = [
            *both["model"]["layers"],
            {"type": "dense", "name": "none", "units": 3 if name == "kind" else 2, "from": second,
             "weight_initializer": "zeros", "bias": False},
            {"type": "add", "from": [first, "none"]},
        ]  # fmt: skip
        layers[1] |= {"units": 2}
        layers[2] |= {"units": 3}
        single = {k: v for k, v in both.items() if k != "losses"} | {"loss": entry["loss"], "model": layers}
        single["data"] = {"type": "inline", "x": REFERENCE["x"], **data}
        theta = start(single)
        theta[: len(gradient)] = start(both)
        alone += entry["weight"] * (updated(single, theta) - theta)[: len(gradient)]
    np.testing.assert_allclose(gradient, alone, rtol=1e-12, atol=1e-15)


def start(given: dict[str, Any]) -> np.ndarray:
    return set_up(config.resolve(given), Path()).initial_state(Path()).theta


def updated(given: dict[str, Any], theta: np.ndarray | None = None) -> np.ndarray:
    """The params after one step on all rows, interpreted."""
    setup = set_up(config.resolve(given), Path())
    theta = start(given) if theta is None else theta
    numbers = [np.uint32(0), np.uint32(1), np.float64(0.1)]
    part = setup.data.train
    return interpret(step_graph(setup.task)[0], [theta, *map(np.asarray, numbers), part.x, part.y, part.w])[0]


def test_the_history_has_the_figures_of_each_output(flowers: Run) -> None:
    names = ["loss", "kind_loss", "kind_accuracy", "width_loss", "width_mae"]
    figures = [f"{split}_{name}" for name in names for split in ("train", "validation")]
    assert [*flowers.history] == ["epoch", *figures, "learning_rate", "penalty", "train_seconds"]
    for split in ("train", "validation"):
        total = flowers.history[f"{split}_kind_loss"] + 0.5 * flowers.history[f"{split}_width_loss"]
        np.testing.assert_allclose(flowers.history[f"{split}_loss"], total, rtol=1e-12)
    assert [*flowers.metrics["splits"]["test"]] == ["examples", *names[:3], "kind_roc_auc", *names[3:]]


def test_figures_are_those_of_the_predictions_in_their_own_unit(flowers: Run) -> None:
    arrays = dict(np.load(flowers.path / file_names.PREDICTIONS))
    assert arrays.keys() == {
        "split", "rows", "target_kind", "target_width", "prediction_kind", "prediction_width", "probability_kind"
    }  # fmt: skip
    figures = flowers.metrics["splits"]["test"]
    error = np.abs(arrays["prediction_width"] - arrays["target_width"]).mean()
    assert figures["width_mae"] == pytest.approx(error, rel=1e-12)
    assert figures["kind_accuracy"] == np.mean(arrays["prediction_kind"] == arrays["target_kind"])
    widths = np.unique(arrays["target_width"])
    np.testing.assert_allclose(widths, np.round(widths, 1))  # iris is measured in tenths of a centimetre
    assert (widths.min(), widths.max()) == pytest.approx((0.1, 2.5), abs=0.4)


def test_the_files_say_what_each_output_is(flowers: Run) -> None:
    data = json.loads((flowers.path / file_names.DATA).read_text())
    assert data["task"] == "several"
    assert data["features"] == ["sepal length (cm)", "sepal width (cm)", "petal length (cm)"]
    kind, width = data["outputs"]
    assert (kind["name"], kind["target"], kind["classes"]) == (
        "kind",
        "class",
        ["setosa", "versicolor", "virginica"],
    )
    assert (width["name"], width["classes"], width["weight"]) == ("width", None, 0.5)
    assert data["scaling"]["targets"]["shift"][0] == 0  # of class indices
    model = json.loads((flowers.path / file_names.MODEL).read_text())
    assert model["loss"] == "1 softmax_cross_entropy (kind) + 0.5 mean_squared_error (width)"
    page = (flowers.path / file_names.REPORT).read_text()
    assert 'id="confusion-kind"' in page
    assert 'id="regression-width"' in page
    assert "Kind accuracy" in page


def test_a_run_is_loaded_without_its_data(flowers: Run) -> None:
    x = np.array([[5.0, 3.4, 1.5], [6.5, 3.0, 5.5]])
    ours, theirs = flowers.predict(x), nnjit.load(flowers.path).predict(x)
    assert ours.keys() == theirs.keys() == {"kind", "width"}
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)
    assert ours["width"].shape == (2, 1)


def test_a_resumed_training_has_the_bits_of_one_that_was_not_stopped(
    folder: Path, interrupt_after: Callable[[int], None], flowers: Run
) -> None:
    interrupt_after(3)
    with pytest.raises(Interrupted):
        nnjit.fit(FLOWERS, output="stopped")
    given = config.read("stopped/config.yaml")
    resume(Path("stopped"), given.experiment, config.dump(given.experiment))
    same_bits(Path("stopped"), flowers.path)


def test_a_config_survives_writing(tmp_path: Path) -> None:
    experiment = config.resolve(FLOWERS)
    (tmp_path / "a.yaml").write_text(config.dump(experiment), encoding="utf-8")
    assert config.load(tmp_path / "a.yaml") == experiment == config.resolve(experiment)


def test_a_study_answers_with_the_mean_of_its_networks(folder: Path) -> None:
    study = nnjit.fit(FLOWERS, ["training.replicas=2", "training.epochs=2"], output="study")
    x = np.array([[5.0, 3.4, 1.5], [6.5, 3.0, 5.5]])
    said, likely = (
        [run.predict(x) for run in study.runs],
        [run.predict_probabilities(x) for run in study.runs],
    )
    ours = study.predict(x)
    np.testing.assert_allclose(ours["width"], (said[0]["width"] + said[1]["width"]) / 2, rtol=1e-15)
    np.testing.assert_array_equal(ours["kind"], (likely[0]["kind"] + likely[1]["kind"]).argmax(axis=1))


# fmt: off
SOURCES = {  # other sources of the same two targets
    "csv": {"type": "csv", "file": "a.csv", "target": ["price", "kind"]},
    "npz": {"type": "npz", "file": "a.npz"},
    "inline": {"type": "inline", "x": [1, 2, 3, 4], "y": {"kind": ["u", "v", "v", "u"], "price": [5, 6, 7, 8]}},
}
# fmt: on


def small(data: dict[str, Any], **entries: Any) -> dict[str, Any]:
    """A config with two outputs on four rows; `entries` are options of the losses by name."""
    losses = {
        "price": {"loss": "mean_squared_error", "target": "price"},
        "kind": {"loss": "softmax_cross_entropy", "target": "kind"},
    }
    for name, options in entries.items():
        losses[name] = {**losses.get(name, {}), **options}
    Path("a.csv").write_text("size,price,kind\n1,5,u\n2,6,v\n3,7,v\n4,8,u\n")
    kinds, prices = np.array(["u", "v", "v", "u"]), np.array([5, 6, 7, 8])
    np.savez("a.npz", x=np.arange(1, 5), kind=kinds, price=prices, unused=prices)
    layers = [
        {"type": "dense", "units": 2, "name": "trunk"},
        {"type": "dense", "units": 1, "name": "price", "from": "trunk"},
        {"type": "dense", "units": 2, "name": "kind", "from": "trunk"},
    ]
    return {"data": data, "model": layers, "losses": losses}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_gives_several_targets(source: str, folder: Path) -> None:
    data = set_up(config.resolve(small(SOURCES[source])), folder).data
    np.testing.assert_array_equal(data.train.x, [[1], [2], [3], [4]])
    np.testing.assert_array_equal(data.train.y, [[5, 0], [6, 1], [7, 1], [8, 0]])
    assert [(t.name, t.start, t.classes) for t in data.target_layout] == [
        ("price", 0, None),
        ("kind", 1, ("u", "v")),
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_a_task_says_what_whole_numbers_are(source: str, folder: Path) -> None:
    given = small(SOURCES[source], price={"task": "classification", "loss": "huber"})
    given["model"][1]["units"] = 4
    setup = set_up(config.resolve(given), folder)
    assert setup.data.target_layout[0].classes == ("5", "6", "7", "8")
    assert [m.column for m in setup.task.metrics] == [
        "price_loss",
        "price_accuracy",
        "kind_loss",
        "kind_accuracy",
    ]


def test_an_output_takes_several_columns_of_a_table(folder: Path) -> None:
    given = small(CSV, price={"target": ["price", "size"]})
    Path("b.csv").write_text("x,size,price,kind\n1,5,3,u\n2,6,4,v\n")
    given["data"] = {**CSV, "file": "b.csv", "target": ["size", "price", "kind"]}
    given["model"][1]["units"] = 2
    setup = set_up(config.resolve(given), folder)
    np.testing.assert_array_equal(setup.data.train.y, [[3, 5, 0], [4, 6, 1]])
    price, kind = setup.task.loss.outputs
    np.testing.assert_array_equal(price.truth(setup.data.train.y), [[3, 5], [4, 6]])
    np.testing.assert_array_equal(kind.truth(setup.data.train.y), [0, 1])


@pytest.mark.parametrize(
    ("wanted", "weights"),
    [("balanced", [2, 2 / 3, 2 / 3, 2 / 3]), ({"u": 3.0}, [2, 2 / 3, 2 / 3, 2 / 3])],  # 3 / (6/4), 1 / (6/4)
    ids=["balanced", "given"],
)
def test_the_classes_of_an_output_count_as_they_are_told_to(
    wanted: Any, weights: list[float], folder: Path
) -> None:
    data = {**INLINE, "y": {"kind": ["u", "v", "v", "v"], "price": [5, 6, 7, 8]}}
    setup = set_up(config.resolve(small(data, kind={"class_weights": wanted, "weight": 0.5})), folder)
    output, y = np.random.default_rng(0).normal(size=(4, 3)), setup.data.train.y.astype(float)
    _, kind = setup.task.loss.outputs
    plain = kind.loss(kind.take(output), kind.truth(y))
    values = np.square(output[:, 0] - y[:, 0])
    np.testing.assert_allclose(setup.task.loss(output, y), values + 0.5 * np.array(weights) * plain)
    letters = {"a": output, "y_price": y[:, :1], "y_kind": np.eye(2)[y[:, 1].astype(int)]}
    letters["v_kind"] = np.array(weights)[:, None]
    stated = evaluate(setup.task.loss.slope(3), {symbol(name): value for name, value in letters.items()})
    np.testing.assert_allclose(stated, grad(lambda a: nnp.sum(setup.task.loss(a, y)))(output))


def test_every_part_has_its_share_of_the_first_classes(folder: Path) -> None:
    data = set_up(config.resolve(FLOWERS), folder).data
    counts = [
        np.bincount(part.y[:, 0].astype(int)) for part in (data.train, data.validation, data.test) if part
    ]
    np.testing.assert_array_equal(counts, [[30] * 3, [10] * 3, [10] * 3])


@pytest.mark.parametrize(
    ("column", "mode"), [("kind_accuracy", "max"), ("width_mae", "min"), ("width_loss", "min")]
)
def test_a_figure_of_an_output_can_decide_when_to_stop(column: str, mode: str, folder: Path) -> None:
    settings = [f"training.early_stopping.monitor=validation_{column}"]
    assert set_up(config.resolve(FLOWERS, settings), folder).monitor.mode == mode


INLINE, CSV, NPZ = SOURCES["inline"], SOURCES["csv"], SOURCES["npz"]
IRIS = {"type": "sklearn", "dataset": "iris"}
# fmt: off
MISTAKES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    # data, options of the losses, options of the config, the message
    (INLINE, {}, {"loss": "huber"}, "loss: both loss and losses are given; losses are for several outputs, so remove one"),
    (INLINE, {}, {"losses": {"price": {"loss": "huber", "target": "price"}}}, "losses: several outputs are two or more, got 1; for one output, give loss"),
    (INLINE, {}, {"metrics": ["accuracy"]}, "metrics: with losses, each output has its own metrics; put them into the entries of losses"),
    (INLINE, {"kind": {"weight": 0.0}}, {}, "losses.kind.weight: expected a number > 0, got 0.0"),
    (INLINE, {"kind": {"weight": -1}}, {}, "losses.kind.weight: expected a number > 0, got -1"),
    (INLINE, {"kind": {"weight": float("inf")}}, {}, "losses.kind.weight: expected a number > 0, got .inf"),
    (INLINE, {"kind": {"wieght": 1.0}}, {}, 'losses.kind: unknown option "wieght"; did you mean "weight"?'),
    (INLINE, {"kind": {"loss": "hubber"}}, {}, 'losses.kind.loss: unknown loss "hubber"; did you mean "huber"?'),
    (INLINE, {"knd": {"loss": "huber", "target": "price"}}, {}, 'losses.knd: no layer is called "knd"; did you mean "kind"?'),
    (INLINE, {"input": {"loss": "huber", "target": "price"}}, {}, 'losses: "input" is not a layer of the model that can be an output; name one that is'),
    (INLINE, {"outputs": {"loss": "huber", "target": "price"}}, {}, 'losses: "outputs" is not a layer of the model that can be an output; name one that is'),
    (INLINE, {}, {"model": [{"type": "dense", "units": 2, "name": "outputs"}, {"type": "dense", "name": "price"}, {"type": "dense", "name": "kind"}]}, 'losses: the name "outputs" is taken by model[0]; choose another'),
    (INLINE, {}, {"model": [{"type": "dense", "name": "price"}, {"type": "dense", "name": "kind", "activation": "softmax"}]}, 'losses.kind.loss: softmax_cross_entropy takes the output before any sigmoid or softmax, but "kind" ends with softmax'),
    (INLINE, {"kind": {"loss": 5}}, {}, "losses.kind.loss: expected a mapping with a \"type\" or a type alone ("),
    (INLINE, {"kind": {"target": "knd"}}, {}, 'losses.kind.target: the data has no target "knd"; did you mean "kind"?'),
    (NPZ, {"kind": {"target": "knd"}}, {}, 'losses.kind.target: the data has no target "knd"; did you mean "kind"?'),
    (INLINE, {"kind": {"target": "price"}}, {}, 'losses.kind.target: "price" is the target of "price" already; give another'),
    ({**INLINE, "y": {**INLINE["y"], "size": [1, 2, 3, 4]}}, {}, {}, 'data.y.size: no loss is for the target "size"; name it in losses, or remove it'),
    ({**CSV, "target": ["price", "kind", "size"]}, {}, {}, 'data.target[2]: no loss is for the target "size"; name it in losses, or remove it'),
    ({**CSV, "target": "price"}, {}, {}, "data.target: losses need a list of targets, such as [price, kind]"),
    ({**CSV, "target": [1, "kind"]}, {}, {}, "data.target[0]: losses find their targets by name; give the column's"),
    (CSV, {"kind": {"task": "regression", "loss": "huber"}}, {}, 'data.file: a.csv: line 2, column "kind": expected a number, got "u" (4 such values in the column); correct it, or use task: classification in its entry of losses'),
    ({**INLINE, "y": [1, 2, 3, 4]}, {}, {}, "data.y: losses need targets by name, such as y: {price: [3, 4], kind: [a, b]}"),
    (INLINE, {}, {"loss": "huber", "losses": None, "model": [{"type": "dense"}]}, "data.y: several targets (kind, price) are for losses; give the list for a single target, or losses instead of loss"),
    ({**INLINE, "y": {"kind": ["u", "v"], "price": [1, 2, 3, 4]}}, {}, {}, "data: the targets differ in rows: price 4, kind 2; every row needs all its targets"),
    ({**INLINE, "y": {"kind": ["u"] * 4, "price": [1, 2, 3, 4]}}, {}, {}, 'data: target "kind": expected labels of at least two classes, got 1: every row has u'),
    ({"type": "sklearn", "dataset": "moons"}, {}, {}, "data.target: losses need the names of the targets of a table, such as [class, petal width (cm)]"),
    ({**IRIS, "target": ["class", "petal width"]}, {}, {}, 'data.target[1]: no target or feature "petal width"; did you mean "petal width (cm)"?'),
    ({**IRIS, "target": ["class"]}, {}, {"loss": "huber", "losses": None, "model": [{"type": "dense"}]}, "data.target: targets by name are for losses; remove it, or give losses instead of loss"),
    ({"type": "idx", "images": "x", "labels": "y"}, {}, {}, "data.type: idx has one target, but losses need several; use table, npz, inline or sklearn data, or a single loss"),
    (INLINE, {"kind": {"loss": "huber"}, "price": {"loss": "softmax_cross_entropy", "task": "regression"}}, {}, "losses.price.loss: softmax_cross_entropy needs data with classes, but its targets are values"),
    (INLINE, {}, {"training": {"class_weights": "balanced"}}, "training.class_weights: of several outputs, each has its own; put them into the entries of losses"),
    (INLINE, {}, {"optimizer": "levenberg_marquardt", "training": {"batch_size": "full"}}, 'losses.kind.loss: levenberg_marquardt needs a loss that is a sum of squares for every output, squared_error or mean_squared_error, got "softmax_cross_entropy"; lbfgs'),
    (INLINE, {"price": {"metrics": ["roc_auc"]}}, {}, "losses.price.metrics[0]: roc_auc needs classes, or targets that are 0 or 1, but there is "),
    (INLINE, {"kind": {"metrics": ["accuracy", "accuracy"]}}, {}, 'losses.kind.metrics[1]: "accuracy" is there already; give it once, or another option'),
    (INLINE, {"price": {"loss": "poisson"}, "kind": {}}, {"data": {**INLINE, "y": {**INLINE["y"], "price": [1, 2, -3, 4]}}}, "losses.price.loss: "),
    (INLINE, {"kind": {"class_weights": {"x": 2}}}, {}, 'losses.kind.class_weights: the data has no class "x"; valid: u, v'),
    (INLINE, {"price": {"class_weights": "balanced"}}, {}, "losses.price.class_weights: the targets are values, which have no classes; weight rows with data.weights"),
    (INLINE, {"price": {"metrics": ["accuracy"]}}, {}, "losses.price.metrics[0]: accuracy needs classes, or targets from 0 to 1, but there is "),
    (INLINE, {"price": {"target": ["price", "prize"]}}, {}, 'losses.price.target[1]: the data has no target "prize"; did you mean "price"?'),
    (INLINE, {"price": {"target": []}}, {}, "losses.price.target: expected text or a non-empty list, each text, got an empty list"),
    ({**INLINE, "y": {**INLINE["y"], "size": [1, 2, 1, 2]}}, {"price": {"target": ["price", "kind"]}, "kind": {"target": "size"}}, {}, 'losses.price.target[1]: "kind" has classes, but only targets of values can be joined; '),
    ({**INLINE, "scale_target": "standard"}, {"price": {"task": "classification"}}, {}, "data.scale_target: the targets are classes, which cannot be scaled; remove this option"),
]
UNITS = [
    # units of price and kind, the message
    (2, 2, 'losses.price: the layer has 2 outputs, its target "price" 1 value; set units: 1'),
    (1, 3, "losses.kind.loss: softmax_cross_entropy: the model has 3 outputs, the data 2 classes; set units: 2"),
]
# fmt: on


@pytest.mark.parametrize(("data", "entries", "options", "message"), MISTAKES)
def test_a_mistake_is_one_message(
    data: dict[str, Any], entries: dict[str, Any], options: dict[str, Any], message: str, folder: Path
) -> None:
    with pytest.raises(UserError) as caught:
        nnjit.fit(small(data, **entries) | options, output="run")
    assert str(caught.value).startswith(message)
    assert not Path("run").exists()


@pytest.mark.parametrize(("price", "kind", "message"), UNITS)
def test_an_output_has_the_units_that_its_target_needs(
    price: int, kind: int, message: str, folder: Path
) -> None:
    given = small(INLINE)
    given["model"][1]["units"], given["model"][2]["units"] = price, kind
    with pytest.raises(UserError) as caught:
        nnjit.fit(given, output="run")
    assert str(caught.value) == message


def test_a_layer_that_is_no_output_is_told_what_outputs_are(folder: Path) -> None:
    given = small(INLINE)
    given["model"].append({"type": "dense", "units": 2, "name": "idle"})
    with pytest.raises(
        UserError, match=r'model\[3\]: no layer takes the output of "idle".*or those in losses'
    ):
        nnjit.fit(given, output="run")
