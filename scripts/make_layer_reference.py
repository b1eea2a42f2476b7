"""Write tests/nn/layer_reference.json: PyTorch's layers with the same weights, and their derivatives.

Needs PyTorch, which nnjit itself does not:  python scripts/make_layer_reference.py

Params are drawn in nnjit's layout and converted to PyTorch's, so derivatives are in nnjit's. In PyTorch,
channels come second, weights are transposed, and recurrent layers have two biases, which add up to the one of
nnjit's RNN and LSTM. nnjit's GRU has both too, because its reset gate applies to the product of the state, as
in PyTorch. "same" padding that PyTorch lacks is given in numbers, or by `ceil_mode`.

Left out: ties in a pooling window, where PyTorch takes the first element, and padding of more than half a
pooling window, which PyTorch refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its name everywhere
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

Params = dict[str, Tensor]
Function = Callable[[Tensor, Params], Tensor]
Shapes = dict[str, tuple[int, ...]]

EXAMPLES = 2
MASK, LENGTHS = -9.0, [4, 2]
"""The padding value, which is never drawn, and the lengths of padded examples."""
PARTS = ("query", "key", "value")


def dense(x: Tensor, params: Params) -> Tensor:
    return F.linear(x, params["weight"].T, params.get("bias"))


def embedding(x: Tensor, params: Params) -> Tensor:
    return F.embedding(x, params["weight"])


def conv(function: Callable[..., Tensor], *, around: tuple[int, ...] = (0, 0), **options: object) -> Function:
    """`around` counts zeros before and after each axis, last axis first, for padding that PyTorch lacks."""

    def call(x: Tensor, params: Params) -> Tensor:
        weight = params["weight"].movedim((-1, -2), (0, 1))
        channels_second = F.pad(x.movedim(-1, 1), around)
        return function(channels_second, weight, params.get("bias"), **options).movedim(1, -1)

    return call


def pool(function: Callable[..., Tensor], *args: object, **options: object) -> Function:
    return lambda x, params: function(x.movedim(-1, 1), *args, **options).movedim(1, -1)


def recurrent(
    function: Callable[..., tuple[Tensor, ...]],
    *,
    every: bool = False,
    reverse: bool = False,
    mask: bool = False,
) -> Function:
    """`reverse` selects the backward half of two directions; `mask` reads only LENGTHS of the examples."""

    def call(x: Tensor, params: Params) -> Tensor:
        bias, units = params["bias"], params["recurrent_weight"].shape[0]
        biases = [bias, params["recurrent_bias"]] if "recurrent_bias" in params else [bias / 2, bias / 2]
        weights = [params["weight"].T, params["recurrent_weight"].T, *biases] * (1 + reverse)
        lengths = torch.tensor(LENGTHS if mask else [x.shape[1]] * EXAMPLES)
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        zero = x.new_zeros(1 + reverse, EXAMPLES, units)
        state = (zero, zero) if function is torch.lstm else zero
        sizes = packed.batch_sizes
        outputs, last = function(packed.data, sizes, state, weights, True, 1, 0.0, False, reverse)[:2]
        whole, _ = pad_packed_sequence(PackedSequence(outputs, sizes), True, total_length=x.shape[1])
        return whole[..., -units:] if every else last[-1]

    return call


def attention(heads: int, *, causal: bool = False) -> Function:
    def call(x: Tensor, params: Params) -> Tensor:
        steps_first, (_, steps, size) = x.transpose(0, 1), x.shape
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        found, _ = F.multi_head_attention_forward(
            steps_first, steps_first, steps_first, size, heads,
            torch.cat([params[f"{part}_weight"].T for part in PARTS]),
            torch.cat([params[f"{part}_bias"] for part in PARTS]),
            None, None, False, 0.0, params["output_weight"].T, params["output_bias"],
            training=False, need_weights=False, attn_mask=later if causal else None,
        )  # fmt: skip
        return found.transpose(0, 1)

    return call


def weight_and_bias(*shape: int) -> Shapes:
    return {"weight": shape, "bias": shape[-1:]}


def loop_params(features: int, units: int, gates: int) -> Shapes:
    params = weight_and_bias(features, gates * units)
    return {**params, "recurrent_weight": (units, gates * units)}


def gru_params(features: int, units: int) -> Shapes:
    return {**loop_params(features, units, 3), "recurrent_bias": (3 * units,)}


def attention_params(size: int) -> Shapes:
    kinds = {"weight": (size, size), "bias": (size,)}
    return {f"{part}_{kind}": shape for part in (*PARTS, "output") for kind, shape in kinds.items()}


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
    "leaky_relu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus,
    "softmax": lambda x: F.softmax(x, dim=-1),
}  # fmt: skip


def activation(name: str, first: Function | None = None) -> Function:
    function = FUNCTIONS[name]
    return lambda x, params: function(x if first is None else first(x, params))


# fmt: off
CASES: list[tuple[dict[str, object], tuple[int, ...], Shapes, Function]] = [
    # nnjit's options, an example's shape, the params' shapes, PyTorch's function
    ({"type": "dense", "units": 2, "activation": "gelu"}, (3,),
     weight_and_bias(3, 2), activation("gelu", dense)),
    ({"type": "dense", "units": 2, "bias": False}, (3,), {"weight": (3, 2)}, dense),
    ({"type": "dense", "units": 3, "activation": "tanh"}, (2, 4), weight_and_bias(4, 3),
     activation("tanh", dense)),
    *(({"type": "activation", "function": name}, (5,), {}, activation(name)) for name in FUNCTIONS),
    ({"type": "conv1d", "filters": 3, "kernel_size": 3, "stride": 2}, (8, 2),
     weight_and_bias(3, 2, 3), conv(F.conv1d, stride=2)),
    ({"type": "conv1d", "filters": 2, "kernel_size": 3, "padding": 2, "dilation": 2, "activation": "relu"},
     (6, 2), weight_and_bias(3, 2, 2), activation("relu", conv(F.conv1d, padding=2, dilation=2))),
    ({"type": "conv1d", "filters": 2, "kernel_size": 4, "padding": "same"}, (5, 2),
     weight_and_bias(4, 2, 2), conv(F.conv1d, padding="same")),
    ({"type": "conv1d", "filters": 4, "kernel_size": 3, "stride": 2, "padding": "same", "groups": 2}, (6, 4),
     weight_and_bias(3, 2, 4), conv(F.conv1d, around=(0, 1), stride=2, groups=2)),
    ({"type": "conv1d", "filters": 3, "kernel_size": 3, "stride": 2, "padding": 1, "groups": 3}, (6, 3),
     weight_and_bias(3, 1, 3), conv(F.conv1d, stride=2, padding=1, groups=3)),
    ({"type": "conv2d", "filters": 3, "kernel_size": [3, 2], "stride": [2, 1]}, (5, 4, 2),
     weight_and_bias(3, 2, 2, 3), conv(F.conv2d, stride=(2, 1))),
    ({"type": "conv2d", "filters": 2, "kernel_size": 3, "stride": 2, "padding": 1}, (5, 4, 2),
     weight_and_bias(3, 3, 2, 2), conv(F.conv2d, stride=2, padding=1)),
    ({"type": "conv2d", "filters": 2, "kernel_size": [2, 3], "padding": "same", "dilation": [1, 2]},
     (4, 5, 2), weight_and_bias(2, 3, 2, 2), conv(F.conv2d, padding="same", dilation=(1, 2))),
    ({"type": "conv2d", "filters": 2, "kernel_size": 3, "stride": 2, "padding": "same"}, (6, 5, 1),
     weight_and_bias(3, 3, 1, 2), conv(F.conv2d, around=(1, 1, 0, 1), stride=2)),
    ({"type": "conv2d", "filters": 4, "kernel_size": 2, "padding": 1, "dilation": 2, "groups": 2,
      "bias": False}, (3, 2, 4), {"weight": (2, 2, 2, 4)}, conv(F.conv2d, padding=1, dilation=2, groups=2)),
    ({"type": "conv2d", "filters": 3, "kernel_size": 2, "groups": 3}, (3, 3, 3),
     weight_and_bias(2, 2, 1, 3), conv(F.conv2d, groups=3)),
    ({"type": "conv2d", "filters": 4, "kernel_size": 2, "stride": 2, "padding": "same", "groups": 2},
     (3, 4, 2), weight_and_bias(2, 2, 1, 4), conv(F.conv2d, around=(0, 0, 0, 1), stride=2, groups=2)),
    ({"type": "max_pool"}, (7, 2), {}, pool(F.max_pool1d, 2)),
    ({"type": "max_pool", "size": 3, "stride": 1, "padding": "same"}, (5, 2), {},
     pool(F.max_pool1d, 3, 1, padding=1)),
    ({"type": "max_pool"}, (5, 4, 2), {}, pool(F.max_pool2d, 2)),
    ({"type": "max_pool", "size": [3, 2], "stride": [1, 2]}, (5, 4, 2), {},
     pool(F.max_pool2d, (3, 2), (1, 2))),
    ({"type": "max_pool", "size": 3, "stride": 2, "padding": 1}, (5, 4, 2), {},
     pool(F.max_pool2d, 3, 2, padding=1)),
    ({"type": "max_pool", "padding": "same"}, (5, 3, 2), {}, pool(F.max_pool2d, 2, ceil_mode=True)),
    ({"type": "average_pool"}, (7, 2), {}, pool(F.avg_pool1d, 2)),
    ({"type": "average_pool", "size": 3, "stride": 2, "padding": 1}, (6, 2), {},
     pool(F.avg_pool1d, 3, 2, padding=1, count_include_pad=False)),
    ({"type": "average_pool", "size": [2, 1]}, (4, 2, 3), {}, pool(F.avg_pool2d, (2, 1))),
    ({"type": "average_pool", "size": 2, "stride": 1}, (4, 3, 2), {}, pool(F.avg_pool2d, 2, 1)),
    ({"type": "average_pool", "size": 3, "stride": 2, "padding": 1}, (5, 4, 2), {},
     pool(F.avg_pool2d, 3, 2, padding=1, count_include_pad=False)),
    ({"type": "average_pool", "padding": "same"}, (5, 3, 2), {},
     pool(F.avg_pool2d, 2, ceil_mode=True, count_include_pad=False)),
    ({"type": "global_average_pool"}, (4, 3), {}, lambda x, _: F.adaptive_avg_pool1d(x.mT, 1).flatten(1)),
    ({"type": "global_average_pool"}, (3, 2, 3), {},
     lambda x, _: F.adaptive_avg_pool2d(x.movedim(-1, 1), 1).flatten(1)),
    ({"type": "embedding", "entries": 4, "size": 3}, (), {"weight": (4, 3)}, embedding),
    ({"type": "embedding", "entries": 5, "size": 2}, (3,), {"weight": (5, 2)}, embedding),
    ({"type": "rnn", "units": 3}, (4, 2), loop_params(2, 3, 1), recurrent(torch.rnn_tanh)),
    ({"type": "rnn", "units": 2, "return_sequences": True, "activation": "relu"}, (4, 3),
     loop_params(3, 2, 1), recurrent(torch.rnn_relu, every=True)),
    ({"type": "rnn", "units": 2, "reverse": True}, (4, 3), loop_params(3, 2, 1),
     recurrent(torch.rnn_tanh, reverse=True)),
    ({"type": "gru", "units": 3}, (4, 2), gru_params(2, 3), recurrent(torch.gru)),
    ({"type": "gru", "units": 2, "return_sequences": True}, (4, 3), gru_params(3, 2),
     recurrent(torch.gru, every=True)),
    ({"type": "gru", "units": 2, "mask_value": MASK}, (4, 3), gru_params(3, 2),
     recurrent(torch.gru, mask=True)),
    ({"type": "lstm", "units": 3}, (4, 2), loop_params(2, 3, 4), recurrent(torch.lstm)),
    ({"type": "lstm", "units": 2, "return_sequences": True}, (4, 3), loop_params(3, 2, 4),
     recurrent(torch.lstm, every=True)),
    ({"type": "lstm", "units": 2, "return_sequences": True, "reverse": True, "mask_value": MASK}, (4, 3),
     loop_params(3, 2, 4), recurrent(torch.lstm, every=True, reverse=True, mask=True)),
    ({"type": "attention"}, (3, 2), attention_params(2), attention(1)),
    ({"type": "attention", "heads": 2}, (3, 4), attention_params(4), attention(2)),
    ({"type": "attention", "heads": 3, "causal": True}, (4, 3), attention_params(3),
     attention(3, causal=True)),
]
# fmt: on


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [_row(*case, generator) for case in CASES]
    lines = ",\n".join(json.dumps(row) for row in rows)  # one number per line would double the file
    version = json.dumps(torch.__version__.split("+")[0])
    path = Path(__file__).parent.parent / "tests" / "nn" / "layer_reference.json"
    path.write_text(f'{{"torch": {version}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def _row(
    options: dict[str, object],
    shape: tuple[int, ...],
    params: Shapes,
    function: Function,
    generator: torch.Generator,
) -> dict[str, object]:
    """Output, and the derivatives of Σ output · cotangent."""
    x = _inputs(options, shape, generator)
    held = {name: _draw(own, generator).requires_grad_() for name, own in params.items()}
    output = function(x, held)
    cotangent = _draw(tuple(output.shape), generator)
    (output * cotangent).sum().backward()
    slopes = {"x": x, **held} if x.requires_grad else held
    return {
        "options": options, "x": x.tolist(), "params": {name: p.tolist() for name, p in held.items()},
        "cotangent": cotangent.tolist(), "output": output.tolist(),
        "slopes": {name: _slope(array) for name, array in slopes.items()},
    }  # fmt: skip


def _inputs(options: dict[str, object], shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Numbers within ±4, with the second example padded if the layer has a `mask_value`; or entries."""
    if "entries" in options:
        return torch.randint(int(str(options["entries"])), (EXAMPLES, *shape), generator=generator)
    x = 4 * _draw((EXAMPLES, *shape), generator)
    if "mask_value" in options:
        x[1, LENGTHS[1] :] = MASK
    return x.requires_grad_()


def _draw(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Distinct nonzero numbers within ±1, of few digits: no ties in a maximum, no kinks."""
    count = torch.Size(shape).numel()
    return ((2 * torch.randperm(100, generator=generator)[:count] - 99).double() / 100).reshape(shape)


def _slope(array: Tensor) -> list[object]:
    assert array.grad is not None
    slope: list[object] = array.grad.tolist()
    return slope


if __name__ == "__main__":
    main()
