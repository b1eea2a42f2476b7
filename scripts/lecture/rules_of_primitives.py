"""Primitives and their rules: all that automatic differentiation has to know.

A program is composed of primitives. Each has a rule that takes g = ∂C/∂(its value) to ∂C/∂(its arguments);
the chain rule does the rest. A rule is a program of primitives too, so it has derivatives again.
"""

import nnjit.numpy as np
from nnjit import draw, make_graph, vjp
from nnjit.passes import optimize
from slide import present, save

A, B = np.ones((2, 3)), np.ones((3, 4))
PRIMITIVES = [  # as written, the function, examples of its arguments and value
    ("-x", np.negative, [0.5], 1.0),
    ("exp(x)", np.exp, [0.5], 1.0),
    ("log(x)", np.log, [0.5], 1.0),
    ("sin(x)", np.sin, [0.5], 1.0),
    ("tanh(x)", np.tanh, [0.5], 1.0),
    ("sigmoid(x)", np.sigmoid, [0.5], 1.0),
    ("x + y", np.add, [0.5, 2.0], 1.0),
    ("x - y", np.subtract, [0.5, 2.0], 1.0),
    ("x * y", np.multiply, [0.5, 2.0], 1.0),
    ("x / y", np.divide, [0.5, 2.0], 1.0),
    ("x @ y", np.dot, [A, B], A @ B),
    ("sum(x)", np.sum, [A], 1.0),
]
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def formula(node, names, whole=True):
    """A node of a graph as a formula, in parentheses if it is part of one."""
    if node in names:
        return names[node]
    parts = [formula(part, names, False) for part in node.inputs]
    name = node.primitive.name
    if name in SIGNS:
        text = f"{parts[0]} {SIGNS[name]} {parts[1]}"
        return text if whole else f"({text})"
    if name == "matmul":
        flags = node.params["ta"], node.params["tb"]
        return " @ ".join(part + ".T" * flag for part, flag in zip(parts, flags, strict=True))
    if name == "constant":
        return f"{node.params['value'].array:g}"
    return f"-{parts[0]}" if name == "neg" else f"{name}({', '.join(parts)})"


def rule(function, arguments, value):
    return optimize(make_graph(lambda g, *xs: vjp(function, *xs)[1](g))(value, *arguments))


def main(output):
    for written, function, arguments, value in PRIMITIVES:
        graph = rule(function, arguments, value)
        names = dict(zip(graph.inputs, "gxy", strict=False))
        print(f"{written:10}  g → {',   '.join(formula(node, names) for node in graph.outputs)}")
    save(draw(make_graph(lambda x, y: x * y + np.sin(x))(2.0, 3.0), backward=True), output / "rules.png")


if __name__ == "__main__":
    present(main)
