"""Write the prediction of a network as a Python file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

from nnjit.export.description import in_docstring, title
from nnjit.export.network import DECODE, SCALE, Network
from nnjit.export.numpy.emitter import Emitter, Shared
from nnjit.export.numpy.helpers import HELPERS
from nnjit.export.numpy.rows import ATOM
from nnjit.export.numpy.text import Text
from nnjit.export.order import Segment, segments
from nnjit.export.python_source import identifier, names_of, tuple_of
from nnjit.ir import Graph, Node

OURS = (  # names used by the file
    "predict", "predict_probabilities", "outputs", "np", "math", "Path", "ARRAYS", "INPUT_SHAPE", "FEATURES",
    "CATEGORIES", "CLASSES", "x", "len", "zip", "dict", "range", "reversed", "tuple",
)  # fmt: skip
_WORDS = {
    SCALE: "Scale inputs as in training.",
    DECODE: "Turn the last layer's output into probabilities, or values in the data's own units.",
}


def program(network: Network) -> tuple[str, dict[str, np.ndarray]]:
    """Return the source of the file, and the arrays that it reads."""
    graph = network.graph("f64")
    *held, x = graph.inputs
    names = dict(zip(held, graph.names, strict=False))
    shared = Shared(names)
    parts = segments(graph, x)
    functions = _names(parts)
    written = [_function(network, shared, p, name) for p, name in zip(parts, functions, strict=True)]
    body = _outputs(graph, x, parts, functions)
    sections = [
        _head(network, shared),
        *(HELPERS[name] for name in HELPERS if name in shared.helpers),
        *written,
        body,
        *_faces(network),
    ]
    used = {name: network.arrays[name] for name in names.values()}
    return "\n\n".join(section.rstrip() + "\n" for section in sections), used | shared.arrays


def _head(network: Network, shared: Shared) -> str:
    math_line = ["import math"] * any("math." in HELPERS[name] for name in shared.helpers)
    lines = [
        f'"""Predict with the network {title(network)}.',
        "",
        "It needs only NumPy, and network.npz next to this file:",
        "",
        "    from network import predict",
        "",
        "    predict(x)",
        "",
        in_docstring(network),
        '"""',
        "",
        *math_line,
        "from pathlib import Path",
        "",
        "import numpy as np",
        "",
        'ARRAYS = dict(np.load(Path(__file__).with_name("network.npz")))',
        f"INPUT_SHAPE = {network.input_shape}",
        *names_of(network),
    ]
    return "\n".join(lines)


def _names(parts: Sequence[Segment]) -> list[str]:
    """A name for the function of each segment."""
    names: list[str] = []
    taken = {*OURS, *HELPERS}
    for part in parts:
        name, count = identifier(part.scope), 2
        while name in taken:
            name, count = f"{identifier(part.scope)}_{count}", count + 1
        taken |= {name, f"{name}_out"}
        names.append(name)
    return names


def _function(network: Network, shared: Shared, part: Segment, name: str) -> str:
    given = ["x"] if len(part.takes) == 1 else [f"x{k + 1}" for k in range(len(part.takes))]
    rows = next((g for g, n in zip(given, part.takes, strict=True) if n.type.is_batched), None)
    emitter = Emitter(shared, part.scope, part.nodes, set(part.gives), None if rows is None else "n")
    emitter.names |= set(given)
    for node, own in zip(part.takes, given, strict=True):
        emitter.values[node] = Text(own, ATOM, node.shape)
    emitter.write()
    results = [emitter.whole(node).code for node in part.gives]
    lines = emitter.lines
    if lines and len(results) == 1 and lines[-1].startswith(f"{results[0]} = "):
        lines[-1] = f"return {lines[-1].removeprefix(f'{results[0]} = ')}"
    else:
        lines.append(f"return {', '.join(results)}")
    order = [*shared.array_names.values(), *shared.arrays]
    loads = sorted(emitter.loads.items(), key=lambda item: order.index(item[0]))
    lines = [*(f'{own} = ARRAYS["{full}"]' for full, own in loads), *lines]
    if emitter.needs_rows:
        lines.insert(0, f"n = len({rows})")
    head = [f"def {name}({', '.join(given)}):", f'    """{_words(network, part)}"""']
    return "\n".join([*head, *(textwrap.indent(line, "    ") for line in lines)])


def _words(network: Network, part: Segment) -> str:
    """One line on a function: the layer's type and the shapes."""
    if part.scope in _WORDS:
        return _WORDS[part.scope]
    shapes = " and ".join(_shape(n) for n in part.takes)
    found = next((n for n in network.task.model.nodes if n.name == part.scope), None)
    kind = "layer" if found is None else found.layer.type
    return f"Layer {part.scope} ({kind}): {shapes} → {', '.join(_shape(n) for n in part.gives)}."


def _shape(node: Node) -> str:
    return f"({', '.join('n' if not isinstance(d, int) else str(d) for d in node.shape)})"


def _outputs(graph: Graph, x: Node, parts: Sequence[Segment], functions: Sequence[str]) -> str:
    """The function that runs all others."""
    names = {x: "x"}
    lines = []
    for part, function in zip(parts, functions, strict=True):
        own = [f"{function}_out" if k == 0 else f"{function}_out_{k + 1}" for k in range(len(part.gives))]
        lines.append(f"{', '.join(own)} = {function}({', '.join(names[n] for n in part.takes)})")
        names |= dict(zip(part.gives, own, strict=True))
    shape = ", ".join(map(str, ("n", *(d for d in x.shape if isinstance(d, int)))))
    check = [
        "x = np.asarray(x, np.float64)",
        "if x.shape[1:] != INPUT_SHAPE or not x.ndim:",
        f'    raise ValueError(f"expected inputs of shape ({shape}), got {{x.shape}}")',
    ]
    results = ", ".join(names[n] for n in graph.outputs)
    body = [*check, *lines, f"return [{results}]"]
    head = ["def outputs(x):", '    """The array of each output for inputs x in their own units."""']
    return "\n".join([*head, *(f"    {line}" for line in body)])


def _faces(network: Network) -> Iterator[str]:
    """`predict`, and for classes `predict_probabilities`."""
    if len(network.outputs) > 1:
        yield from _faces_of_several(network)
        return
    (output,) = network.outputs
    if output.classes is None:
        yield 'def predict(x):\n    """The values for inputs x."""\n    return outputs(x)[0]\n'
        return
    yield (
        'def predict_probabilities(x):\n    """The probability of each of CLASSES (n, K) for inputs x."""\n'
        "    return outputs(x)[0]\n"
    )
    yield (
        'def predict(x):\n    """The index in CLASSES (n,) of the most probable class for inputs x."""\n'
        "    return predict_probabilities(x).argmax(axis=1).astype(np.int32)\n"
    )


def _faces_of_several(network: Network) -> Iterator[str]:
    names = [output.name for output in network.outputs]
    of_classes = [output.name for output in network.outputs if output.classes is not None]
    if of_classes:
        yield (
            'def predict_probabilities(x):\n    """The probability of each class (n, K) for inputs x, '
            'for each output of classes."""\n'
            f"    found = dict(zip({tuple_of(names)}, outputs(x)))\n"
            f"    return {{name: found[name] for name in {tuple_of(of_classes)}}}\n"
        )
    yield (
        'def predict(x):\n    """The class indices (n,) or the values of each output for inputs x."""\n'
        f"    found = dict(zip({tuple_of(names)}, outputs(x)))\n"
        f"    for name in {tuple_of(of_classes)}:\n"
        "        found[name] = found[name].argmax(axis=1).astype(np.int32)\n"
        "    return found\n"
    )
