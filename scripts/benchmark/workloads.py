"""Define the workloads: network, data, loss, optimizer, batch size and goals of each.

A network is a list of layers in the form of an nnjit config, from which the other contestants build theirs
too. Data and initial weights come from a fixed seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scripts.benchmark.layers import Layer, NetworkLayer, connect

SEED = 0
CHECKED_STEPS = 3
FULL_BATCH_EPOCHS = 1000
"""Epochs per pass if the batch is full: one epoch is a single step, too short to time."""

Examples = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """A network, its data, and how it is trained.

    Args:
        network: the layers in words.
        examples: maps a number of rows to inputs (rows, …) and targets: (rows, O) values, or (rows,) classes.
        batch: rows per step; None for all of them.
        share: the fraction of the rate of NumPy's large products that nnjit should reach, on one thread and on
            all; None if arithmetic takes the smaller part of a step.
        goals: by contestant, the ratio of its step time to nnjit's that is the goal.
    """

    name: str
    network: str
    layers: tuple[Layer, ...]
    examples: Callable[[int], Examples]
    loss: str
    optimizer: Mapping[str, Any]
    batch: int | None
    rows: int
    share: float | None = None
    goals: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.batch and self.rows % self.batch:
            raise ValueError(f"{self.name}: {self.rows} rows are not a multiple of batch {self.batch}")

    @property
    def is_classification(self) -> bool:
        return self.loss == "softmax_cross_entropy"

    @property
    def has_state(self) -> bool:
        """Whether a layer keeps statistics of the training data for prediction."""
        return any(layer["type"] == "batch_norm" for layer in self.layers)

    @property
    def steps(self) -> int:
        """Steps per pass: those of an epoch, or a thousand if an epoch is a single step."""
        return self.rows // self.batch if self.batch else FULL_BATCH_EPOCHS

    @property
    def checked_rows(self) -> int:
        """The number of rows in the first steps."""
        return CHECKED_STEPS * self.batch if self.batch else self.rows

    @property
    def inputs(self) -> int:
        """The number of values in an example."""
        return math.prod(self._input_shape)

    @cached_property
    def network_layers(self) -> tuple[NetworkLayer, ...]:
        """The layers with their sources, shapes and params."""
        return connect(self.layers, self._input_shape)

    @property
    def dense_layers(self) -> dict[str, tuple[int, ...]]:
        """The shape (I, O) of each dense layer's weights, by name."""
        return {p.name: p.params["weight"] for p in self.network_layers if p.type == "dense"}

    @property
    def flops(self) -> int:
        """Floating-point operations in the products of a step: forward, and for both gradients.

        The first layer needs no gradient with respect to its input.
        """
        products = [flops for p in self.network_layers for flops in p.flops]
        return (self.batch or self.rows) * (3 * sum(products) - products[0])

    def initial_weights(self) -> dict[str, np.ndarray]:
        """Weights by nnjit's names: uniform in ±√(6 / (I + O)) (Glorot & Bengio 2010), biases in ±0.1, and
        scales in 1 ± 0.1.
        """
        rng = np.random.default_rng(SEED)
        shapes = {
            f"{p.name}.{param}": shape for p in self.network_layers for param, shape in p.params.items()
        }
        first = {name: _uniform(rng, shape) for name, shape in shapes.items()}
        return {name: w + w.dtype.type(name.endswith(".scale")) for name, w in first.items()}

    def initial_state(self) -> dict[str, np.ndarray]:
        """The running means and variances of batch norms, by nnjit's names."""
        norms = [(p.name, p.params["scale"]) for p in self.network_layers if p.type == "batch_norm"]
        means = {f"{name}.running_mean": np.zeros(shape, np.float32) for name, shape in norms}
        return means | {f"{name}.running_variance": np.ones(shape, np.float32) for name, shape in norms}

    def first_order(self) -> np.ndarray:
        """The rows of the first few steps in the order of the data, in the shape of `orders`."""
        return np.arange(CHECKED_STEPS * (self.batch or 0)).reshape(CHECKED_STEPS, self.batch or 0)

    def orders(self, passes: int) -> list[np.ndarray]:
        """The shuffled rows of each pass, (steps, batch); (steps, 0) if the batch is full."""
        if self.batch is None:
            return [np.zeros((self.steps, 0), int)] * passes
        rng = np.random.default_rng(SEED)
        return [rng.permutation(self.rows).reshape(self.steps, self.batch) for _ in range(passes)]

    @property
    def _input_shape(self) -> tuple[int, ...]:
        return self.examples(self.batch or self.rows)[0].shape[1:]


def _uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A weight (window…, I, O), or a bias."""
    window, ends = math.prod(shape[:-2]), sum(shape[-2:])
    bound = math.sqrt(6 / (window * ends)) if len(shape) > 1 else 0.1
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def dense(k: int, units: int, activation: str = "identity") -> Layer:
    return {"name": f"dense_{k}", "type": "dense", "units": units, "activation": activation}


def chain(*units: int, hidden: str, output: str = "identity") -> tuple[Layer, ...]:
    """A chain of dense layers."""
    last = len(units)
    return tuple(dense(k, u, output if k == last else hidden) for k, u in enumerate(units, 1))


def residual(depth: int, width: int, outputs: int) -> tuple[Layer, ...]:
    """`depth` blocks x + relu(x W + b), then a dense layer."""
    layers: list[Layer] = []
    for k in range(1, depth + 1):
        before = f"add_{k - 1}" if k > 1 else "input"
        add = {"name": f"add_{k}", "type": "add", "from": [before, f"dense_{k}"]}
        layers += [dense(k, width, "relu"), add]
    return (*layers, dense(depth + 1, outputs))


def lenet() -> tuple[Layer, ...]:
    """LeNet-5 (LeCun et al. 1998) with today's max pooling and relu."""
    return (
        _conv(1, 6, "same"), _max_pool(1), _conv(2, 16, "valid"), _max_pool(2),
        {"name": "flatten_1", "type": "flatten"},
        dense(1, 120, "relu"), dense(2, 84, "relu"), dense(3, 10),
    )  # fmt: skip


def _conv(k: int, filters: int, padding: str) -> Layer:
    options = {"filters": filters, "kernel_size": 5, "padding": padding, "activation": "relu"}
    return {"name": f"conv2d_{k}", "type": "conv2d", **options}


def _max_pool(k: int) -> Layer:
    return {"name": f"max_pool_{k}", "type": "max_pool", "size": 2}


def recurrent(kind: str, *units: int) -> tuple[Layer, ...]:
    """Recurrent layers, then a dense layer with one output on the last step."""
    last = len(units)
    return (
        *(
            {"name": f"{kind}_{k}", "type": kind, "units": u, "return_sequences": k < last}
            for k, u in enumerate(units, 1)
        ),
        dense(1, 1),
    )


def signal(*filters: int, outputs: int) -> tuple[Layer, ...]:
    """Convolutions over a signal, the mean over its steps, then a dense layer."""
    options = {"kernel_size": 5, "padding": "same", "activation": "relu"}
    layers = [
        {"name": f"conv1d_{k}", "type": "conv1d", "filters": f, **options} for k, f in enumerate(filters, 1)
    ]
    return (*layers, {"name": "pool", "type": "global_average_pool"}, dense(1, outputs))


def transformer(blocks: int, width: int, heads: int, outputs: int) -> tuple[Layer, ...]:
    """Blocks of attention and of two dense layers, each after a norm and with a residual connection."""
    layers: list[Layer] = [{**dense(0, width), "name": "sum_0"}]
    for k in range(1, blocks + 1):
        before, middle = f"sum_{k - 1}", f"middle_{k}"
        layers += [
            {"name": f"norm_{2 * k - 1}", "type": "layer_norm", "from": before},
            {"name": f"attention_{k}", "type": "attention", "heads": heads},
            {"name": middle, "type": "add", "from": [before, f"attention_{k}"]},
            {"name": f"norm_{2 * k}", "type": "layer_norm"},
            dense(2 * k - 1, 4 * width, "relu"),
            dense(2 * k, width),
            {"name": f"sum_{k}", "type": "add", "from": [middle, f"dense_{2 * k}"]},
        ]
    return (*layers, {"name": "pool", "type": "global_average_pool"}, dense(2 * blocks + 1, outputs))


def resnet(blocks: int, filters: int, outputs: int) -> tuple[Layer, ...]:
    """Blocks of two convolutions with batch norm (He et al. 2016)."""
    layers: list[Layer] = [
        *_normed_conv(0, filters),
        {"name": "sum_0", "type": "activation", "function": "relu"},
    ]
    for k in range(1, blocks + 1):
        before = f"sum_{k - 1}"
        first, norm = _normed_conv(2 * k - 1, filters)
        layers += [
            {**first, "from": before}, norm,
            {"name": f"relu_{k}", "type": "activation", "function": "relu"},
            *_normed_conv(2 * k, filters),
            {"name": f"add_{k}", "type": "add", "from": [before, f"batch_norm_{2 * k}"]},
            {"name": f"sum_{k}", "type": "activation", "function": "relu"},
        ]  # fmt: skip
    return (*layers, {"name": "pool", "type": "global_average_pool"}, dense(1, outputs))


def _normed_conv(k: int, filters: int) -> tuple[Layer, Layer]:
    options = {"filters": filters, "kernel_size": 3, "padding": "same"}
    return {"name": f"conv2d_{k}", "type": "conv2d", **options}, {
        "name": f"batch_norm_{k}",
        "type": "batch_norm",
    }


def _line(rows: int) -> Examples:
    x = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    return x, 0.2 + 0.6 * np.square(x)


def _exclusive_or(rows: int) -> Examples:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return x, np.array([[0], [1], [1], [0]], np.float32)


def _table(width: int) -> Callable[[int], Examples]:
    def examples(rows: int) -> Examples:
        x = np.random.default_rng(SEED).standard_normal((rows, width), np.float32)
        return x, np.sin(x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3]

    return examples


def _classes(width: int) -> Callable[[int], Examples]:
    """Uniform inputs, dense like an image, in ten classes."""
    return _classes_of(width, 10)


def _classes_of(width: int, count: int) -> Callable[[int], Examples]:
    """Uniform inputs in so many classes."""

    def examples(rows: int) -> Examples:
        x = np.random.default_rng(SEED).random((rows, width), np.float32)
        return x, np.arange(rows, dtype=np.int32) % count

    return examples


def _one_hot_images(rows: int) -> Examples:
    x, y = _classes(784)(rows)
    return x, np.eye(10, dtype=np.float32)[y]


def _images(rows: int) -> Examples:
    """Grey images of noise, in the size of MNIST's."""
    x, y = _classes(784)(rows)
    return x.reshape(rows, 28, 28), y


def _colored_images(rows: int) -> Examples:
    """Images of noise, 32 × 32 with three channels."""
    x, y = _classes(32 * 32 * 3)(rows)
    return x.reshape(rows, 32, 32, 3), y


def _tokens(rows: int) -> Examples:
    """32 steps of 16 features."""
    x, y = _classes(32 * 16)(rows)
    return x.reshape(rows, 32, 16), y


def _signals(rows: int) -> Examples:
    """100 steps of three channels, in five classes."""
    x, y = _classes_of(100 * 3, 5)(rows)
    return x.reshape(rows, 100, 3), y


def _sequences(steps: int, features: int) -> Callable[[int], Examples]:
    """Steps of features; the target is the mean product of the first two."""

    def examples(rows: int) -> Examples:
        x = np.random.default_rng(SEED).standard_normal((rows, steps, features), np.float32)
        return x, np.mean(x[:, :, 0] * x[:, :, 1], axis=1, keepdims=True)

    return examples


DESCENT = {"type": "gradient_descent", "learning_rate": 0.5}
ADAM = {"type": "adam", "learning_rate": 1e-3}
SQUARED, MEAN_SQUARED, CROSS_ENTROPY = "squared_error", "mean_squared_error", "softmax_cross_entropy"

_CHAIN = chain(1, 1, 1, hidden="sigmoid", output="sigmoid")
_XOR = chain(8, 1, hidden="sigmoid", output="sigmoid")
_NIELSEN = chain(30, 10, hidden="sigmoid", output="sigmoid")


_BLOCKS = {"jax_scan": 2.5, "torch_eager": 2.5}

# fmt: off
_ROWS = (
    #         name       network                 layers                            examples         loss           optimizer batch  rows  share
    Workload("chain",   "1-1-1-1 sigmoid",       _CHAIN,                           _line,           SQUARED,       DESCENT,  None,   64),
    Workload("xor",     "2-8-1 sigmoid",         _XOR,                             _exclusive_or,   SQUARED,       DESCENT,  None,    4),
    Workload("tabular", "14-64-64-1 tanh",       chain(64, 64, 1, hidden="tanh"),  _table(14),      MEAN_SQUARED,  ADAM,       32, 3200, 0.60),
    Workload("nielsen", "784-30-10 sigmoid",     _NIELSEN,                         _one_hot_images, SQUARED,       DESCENT,    10, 5000, 0.65),
    Workload("outputs3", "500-40-3 sigmoid",     chain(40, 3, hidden="sigmoid"),   _classes_of(500, 3), CROSS_ENTROPY, DESCENT, 16, 3200),
    Workload("units37", "301-37-37-20 relu",     chain(37, 37, 20, hidden="relu"), _classes_of(301, 20), CROSS_ENTROPY, ADAM,  50, 5000),
    Workload("mlp128",  "784-128-10 relu",       chain(128, 10, hidden="relu"),    _classes(784),   CROSS_ENTROPY, ADAM,       64, 6400, 0.92),
    Workload("mlp512",  "784-512-512-10 relu",   chain(512, 512, 10, hidden="relu"), _classes(784), CROSS_ENTROPY, ADAM,      128, 6400, 1.08),
    Workload("wide",    "1024-1024-1024-10 relu", chain(1024, 1024, 10, hidden="relu"), _classes(1024), CROSS_ENTROPY, ADAM,  256, 2560, 0.90),
    Workload("deep",    "64-20×64-10 relu, residual", residual(20, 64, 10),        _classes(64),    CROSS_ENTROPY, ADAM,       64, 6400, 0.88),
    Workload("conv1d",  "100 × 3, 2 × conv 5 of 12 and 20, 5", signal(12, 20, outputs=5), _signals, CROSS_ENTROPY, ADAM,      30,  600),
    Workload("lenet",   "28×28, LeNet-5",        lenet(),                          _images,         CROSS_ENTROPY, ADAM,       64,  640, 0.93),
    Workload("gru",     "40 × 5, GRU 37, 1",     recurrent("gru", 37),             _sequences(40, 5), MEAN_SQUARED, ADAM,      24,  480),
    Workload("lstm",    "50 × 8, 2 × LSTM 64, 1", recurrent("lstm", 64, 64),       _sequences(50, 8), MEAN_SQUARED, ADAM,      32,  640, 0.98),
    Workload("transformer", "32 × 16, 4 blocks of 64, 4 heads", transformer(4, 64, 4, 10), _tokens, CROSS_ENTROPY, ADAM,   32,  640, None, _BLOCKS),
    Workload("resnet",  "32×32×3, 6 blocks of 2 × 16, batch norm", resnet(6, 16, 10), _colored_images, CROSS_ENTROPY, ADAM, 64, 512, None, {"torch_eager": 2.5}),
)
# fmt: on

WORKLOADS = {workload.name: workload for workload in _ROWS}

_MLP3 = chain(96, 48, 10, hidden="relu")
_TANH3 = chain(32, 16, 4, hidden="tanh")
_EQUAL16 = chain(*[64] * 16, 10, hidden="relu")

# fmt: off
LARGE_TABLE = Workload("large-table", "100-64-64-1 tanh", chain(64, 64, 1, hidden="tanh"), _table(100), MEAN_SQUARED, ADAM, 100, 1_000_000)
MLP3 = Workload("mlp3", "784-96-48-10 relu", _MLP3, _classes(784), CROSS_ENTROPY, ADAM, 64, 1280)
LARGE_BATCH = Workload("large-batch", "4-32-16-4 tanh", _TANH3, _classes_of(4, 4), CROSS_ENTROPY, ADAM, None, 10_000)
MEDIUM = Workload("medium", "300-200-20 relu", chain(200, 20, hidden="relu"), _classes_of(300, 20), CROSS_ENTROPY, ADAM, 50, 20_000)
MLP_4096 = Workload("mlp", "784-256-128-10 relu", chain(256, 128, 10, hidden="relu"), _classes(784), CROSS_ENTROPY, ADAM, 4096, 16_384)
EQUAL16 = Workload("equal16", "64-16×64-10 relu", _EQUAL16, _classes(64), CROSS_ENTROPY, ADAM, 64, 1280)
# fmt: on

OTHERS = {workload.name: workload for workload in (LARGE_BATCH, MEDIUM)}
"""Workloads without peers."""
