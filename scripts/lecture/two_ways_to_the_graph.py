"""Two ways to the same computational graph: tracing a function, and putting layers together.

Differentiation, the passes and the compiler cannot tell the two graphs apart.
"""

import nnjit.numpy as np
from nnjit import draw, make_graph
from nnjit.nn import build_model, layers
from nnjit.passes import optimize
from slide import present, save


def by_tracing(params, x):
    a = np.tanh(np.dot(x, params["dense_1.weight"]) + params["dense_1.bias"])
    return np.dot(a, params["dense_2.weight"]) + params["dense_2.bias"]


def by_layers(units=3, inputs=2):
    hidden = layers["dense"].model_validate({"units": units, "activation": "tanh"})
    return build_model([hidden, layers["dense"].model_validate({"units": 1})], (inputs,))


def text(graph):
    """The printed graph, without the layer names after the operations."""
    return "\n".join(line.partition("    #")[0] for line in str(graph).splitlines())


def main(output):
    model = by_layers()
    params = model.table.unflatten(model.initialize(seed=0, dtype="f64"))
    x = np.ones((4, 2))

    traced = optimize(make_graph(by_tracing)(params, x))
    layered = optimize(make_graph(lambda params, x: model(params, x))(params, x))
    print(f"by tracing a function:\n{traced}\n\nby layers:\n{layered}\n")
    print(f"the same graph: {text(traced) == text(layered)}")
    assert text(traced) == text(layered)

    for name, graph in (("by_tracing", traced), ("by_layers", layered)):
        save(draw(graph), output / f"{name}.png")


if __name__ == "__main__":
    present(main)
