"""Write a network as a PyTorch file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from nnjit.data import Affine, Scaling
from nnjit.data.padding import APART
from nnjit.errors import GraphError
from nnjit.export.description import in_docstring, title
from nnjit.export.network import Network, NetworkOutput
from nnjit.export.python_source import names_of, quoted
from nnjit.export.torch.helpers import HELPERS
from nnjit.export.torch.layers import LAYERS
from nnjit.export.torch.writing import File, Place
from nnjit.nn.links import Link
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.layer_node import LayerNode

# fmt: off
LINKS: Mapping[Link, str] = {
    "identity": "{0}",
    "sigmoid":  "torch.sigmoid({0})",
    "softmax":  "torch.softmax({0}, dim=-1)",
    "exp":      "torch.exp({0})",
}
# fmt: on


def program(network: Network) -> tuple[str, dict[str, np.ndarray]]:
    """Return the source of the file, and its tensors.

    Raises:
        GraphError: a layer has no row.
    """
    file = File()
    scaling = _scaling(network, file)
    layers = _layers(network, file)
    faces = "\n\n".join("\n".join(lines) for lines in _faces(network, file))
    forward = [
        "def forward(self, x):",
        '    """The outputs of the last layer for inputs in the data\'s own units."""',
        _indented("\n".join([*scaling, *layers])),
    ]
    body = "\n\n".join(["\n".join(_constructor(network, file)), "\n".join(forward), faces])
    doc = '"""The trained layers, with scaling and decoding."""'
    network_class = f"class Network(nn.Module):\n    {doc}\n\n{_indented(body)}"
    helpers = [HELPERS[name] for name in HELPERS if name in file.helpers]
    sections = [_head(network), *helpers, network_class, _LOAD]
    return "\n\n".join(section.rstrip() + "\n" for section in sections), file.tensors


_LOAD = '''\
def load():
    """The trained network, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(Path(__file__).with_name("network.safetensors")))
    return network.eval()
'''


def _head(network: Network) -> str:
    lines = [
        f'"""The network {title(network)} in PyTorch.',
        "",
        "It needs PyTorch and safetensors, and network.safetensors next to this file:",
        "",
        "    from network import load",
        "",
        "    load().predict(x)",
        "",
        in_docstring(network),
        '"""',
        "",
        "from pathlib import Path",
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from safetensors.torch import load_file",
        "from torch import nn",
        "",
        *names_of(network),
    ]
    return "\n".join(lines)


def _constructor(network: Network, file: File) -> Iterator[str]:
    yield "def __init__(self):"
    yield "    super().__init__()"
    yield from (f"    self.{name} = {source}" for name, source in file.modules.items())
    yield from (f"    self.{name}.requires_grad_(False)" for name in file.frozen)
    if network.dtype == np.float64:
        yield "    self.double()"
    for name, array in file.tensors.items():
        if "." not in name:
            kind = f"torch.{array.dtype.name}"
            yield f'    self.register_buffer("{name}", torch.zeros({array.shape}, dtype={kind}))'


def _scaling(network: Network, file: File) -> Iterator[str]:
    """The lines that scale inputs in float64, as in training."""
    own, scaling = f"torch.{network.dtype.name}", network.scaling
    if not scaling.changes_inputs:
        return iter([f"x = x.to({own})"])
    scaled = "raw" if scaling.inputs is None else _scaled(scaling.inputs, file)
    lines = ["raw = x.double()", f"x = {scaled}", *_padding(network, scaling, file), f"x = x.to({own})"]
    return iter(lines)


def _scaled(affine: Affine, file: File) -> str:
    shift, scale = file.buffer("input_shift", affine.shift), file.buffer("input_scale", affine.scale)
    return f"raw / {scale} - {shift} / {scale}" if affine.is_huge else f"(raw - {shift}) / {scale}"


def _padding(network: Network, scaling: Scaling, file: File) -> Iterator[str]:
    """The lines that keep padding unchanged, and move apart data that scaling has turned into padding."""
    found = []
    for padding in scaling.padding:
        steps = file.buffer("padding_steps", padding.places(network.input_shape))
        found.append(f"{{0}}, {padding.value}, {steps}")
    if not found:
        return
    find = file.helper("find_padding")
    raw = [f"{find}({own.format('raw')})" for own in found]
    yield f"is_padding = {' | '.join(raw)}"
    for is_own, padding in zip(raw, scaling.padding, strict=True):
        yield f"x = x.masked_fill({is_own}, {padding.value})"
    for own, padding in zip(found, scaling.padding, strict=True):
        yield f"is_mistaken = {find}({own.format('x.float().double()')}) & ~is_padding"
        yield f"x = x + {APART * max(1.0, abs(padding.value))} * is_mistaken"


def _layers(network: Network, file: File) -> Iterator[str]:
    """A line for each layer, preceded by one for its mask of padding, if any."""
    model = network.task.model
    names = {INPUT: "x"} | {node.name: file.name(node.name) for node in model.nodes}
    lines = []
    for node in model.nodes:
        name = names[node.name]
        mask = ""
        if node.mask:
            mask = file.name(f"{name}_mask")
            lines.append(f"{mask} = {_mask(node, names, file)}")
        arrays = {p.name: network.arrays[f"{node.name}.{p.name}"] for p in (*node.params, *node.state)}
        place = Place(file, node, name, arrays, tuple(names[n] for n in node.inputs), mask)
        lines.append(f"{name} = {_layer(node, place)}")
    lines.append(f"return {names[model.output]}")
    return iter(lines)


def _layer(node: LayerNode, place: Place) -> str:
    if node.layer.type not in LAYERS:
        known = "export to numpy or onnx instead"
        raise GraphError(f'layer "{node.name}": {node.layer.type} has no module in PyTorch; {known}')
    return LAYERS[node.layer.type](node.layer, place)


def _mask(node: LayerNode, names: Mapping[str, str], file: File) -> str:
    masks = [f"{file.helper('is_data')}({names[p.name]}, {p.value})" for p in node.mask]
    return masks[0] if len(masks) == 1 else f"torch.stack([{', '.join(masks)}]).amax(0)"


def _faces(network: Network, file: File) -> Iterator[list[str]]:
    """`predict`, and for classes `predict_probabilities`."""
    outputs, several = network.outputs, len(network.outputs) > 1
    of_classes = [output for output in outputs if output.classes is not None]
    values = [output for output in outputs if output.classes is None]
    if of_classes:
        each = [(output, _decoded(output, file)) for output in of_classes]
        words = "The probability of each class (n, K)."
        yield _method("predict_probabilities", words, _result(each, several))
    named = [(output, _decoded(output, file)) for output in values]
    words = "The class indices (n,)" if of_classes else "The values (n, O)"
    if not several and of_classes:
        yield _method("predict", f"{words}.", ["return self.predict_probabilities(x).argmax(1)"], runs=False)
    elif not several:
        yield _method("predict", f"{words} in the data's own units.", _result(named, several))
    else:
        lines = ["found = {}"]
        if of_classes:
            given = "self.predict_probabilities(x).items()"
            lines = [f"found = {{name: p.argmax(1) for name, p in {given}}}"]
        lines += [f"found[{quoted(output.name)}] = {code}" for output, code in named]
        order = ", ".join(f"{quoted(o.name)}: found[{quoted(o.name)}]" for o in outputs)
        lines.append(f"return {{{order}}}")
        yield _method("predict", "The class indices or values of each output.", lines, runs=bool(named))


def _method(name: str, words: str, body: list[str], *, runs: bool = True) -> list[str]:
    """A method, which first computes the outputs `z` if it runs the network itself."""
    lines = ["z = self(torch.as_tensor(x))"] * runs + body
    head = ["@torch.no_grad()", f"def {name}(self, x):", f'    """{words}"""']
    return [*head, *(f"    {line}" for line in lines)]


def _result(each: list[tuple[NetworkOutput, str]], several: bool) -> list[str]:
    if not several:
        return [f"return {each[0][1]}"]
    return [f"return {{{', '.join(f'{quoted(output.name)}: {code}' for output, code in each)}}}"]


def _decoded(output: NetworkOutput, file: File) -> str:
    """The prediction of one output, from the outputs `z` of the network."""
    start, stop = output.columns.start, output.columns.stop
    p = LINKS[output.loss.link].format(f"z[:, {start}:{stop}]")
    if output.classes is not None:
        return f"torch.cat([1 - {p}, {p}], 1)" if stop - start == 1 else p
    if output.unit is None:
        return p
    shift = file.buffer(f"output_shift_{start}", output.unit.shift)
    scale = file.buffer(f"output_scale_{start}", output.unit.scale)
    if output.unit.is_huge:
        return f"({p}.double() + {shift} / {scale}) * {scale}"
    return f"{p}.double() * {scale} + {shift}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
