"""The full gradient of a network: ∂C for every weight and every bias, layer by layer.

∇C = (∂C/∂w¹, ∂C/∂b¹, …, ∂C/∂wᴸ, ∂C/∂bᴸ), one number for each weight and each bias
"""

from itertools import pairwise

import nnjit.numpy as np
from nnjit import grad
from slide import COLORS, picture, present

SIZES = (2, 3, 1)
UPPER = str.maketrans("123456789", "¹²³⁴⁵⁶⁷⁸⁹")
LOWER = str.maketrans("123456789", "₁₂₃₄₅₆₇₈₉")

SHAPES = pairwise(SIZES)
PARAMS = [(np.sin(np.arange(1.0, 1 + i * o)).reshape(i, o), 0.1 * np.ones(o)) for i, o in SHAPES]
X, Y = np.array([[0.2, 0.9], [0.7, -0.4], [-0.5, 0.1]]), np.array([[1.0], [0.0], [1.0]])


def cost(params, x, y):
    a = x
    for W, b in params:
        a = np.sigmoid(np.dot(a, W) + b)
    return np.mean(np.sum((a - y) ** 2, axis=1))


def names(layer, W, b):
    """w¹₁₂ is the weight in layer 1 from input 1 to neuron 2."""
    above = str(layer).translate(UPPER)
    weights = [f"w{above}{f'{i + 1}{j + 1}'.translate(LOWER)}" for i in range(len(W)) for j in range(len(b))]
    return weights + [f"b{above}{str(j + 1).translate(LOWER)}" for j in range(len(b))]


def main(output):
    gradient = grad(cost)(PARAMS, X, Y)
    entries, labels, layers = [], [], []
    for layer, (dW, db) in enumerate(gradient, start=1):
        own = [*np.ravel(dW), *db]
        print(f"layer {layer}: {dW.size} weights, {db.size} biases")
        for name, entry in zip(names(layer, dW, db), own, strict=True):
            print(f"  ∂C/∂{name:5} = {entry:9.6f}")
        entries, labels, layers = entries + own, labels + names(layer, dW, db), layers + [layer] * len(own)
    print(f"∇C has {len(entries)} entries, its length is {np.linalg.norm(np.array(entries)):.6f}")

    title, what = "The full gradient", f"∂C for each of {len(entries)} weights and biases of a 2-3-1 network"
    with picture(output / "full_gradient.png", title, what) as ax:
        for layer in (1, 2):
            at = [k for k, own in enumerate(layers) if own == layer]
            ax.bar(at, [entries[k] for k in at], color=COLORS[layer - 1], label=f"layer {layer}")
        ax.set_xticks(range(len(labels)), labels)


if __name__ == "__main__":
    present(main)
