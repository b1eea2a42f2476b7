"""Earlier layers: the chain goes on, from the last neuron to the first.

z⁽ˡ⁾ = w⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾,   a⁽ˡ⁾ = σ(z⁽ˡ⁾),   C₀ = (a⁽ᴸ⁾ - y)²

∂C₀/∂w⁽ˡ⁾   = a⁽ˡ⁻¹⁾ σ′(z⁽ˡ⁾) ∂C₀/∂a⁽ˡ⁾
∂C₀/∂b⁽ˡ⁾   =      1 σ′(z⁽ˡ⁾) ∂C₀/∂a⁽ˡ⁾
∂C₀/∂a⁽ˡ⁻¹⁾ =   w⁽ˡ⁾ σ′(z⁽ˡ⁾) ∂C₀/∂a⁽ˡ⁾
"""

import nnjit.numpy as np
from nnjit import grad
from slide import COLORS, picture, present

UPPER = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def forward(w, b, a):
    """The activations a⁽⁰⁾, a⁽¹⁾, …, a⁽ᴸ⁾."""
    activations = [a]
    for layer in range(len(w)):
        activations.append(np.sigmoid(w[layer] * activations[-1] + b[layer]))
    return activations


def cost(w, b, a, y):
    return (forward(w, b, a)[-1] - y) ** 2


def backward(w, a, y):
    """For l = L, …, 1: a⁽ˡ⁻¹⁾, σ′(z⁽ˡ⁾) and ∂C₀/∂a⁽ˡ⁾, whose product is ∂C₀/∂w⁽ˡ⁾."""
    dC_da = 2 * (a[-1] - y)
    for layer in range(len(w), 0, -1):
        slope = a[layer] * (1 - a[layer])  # σ′ = σ (1 - σ)
        yield layer, a[layer - 1], slope, dC_da
        dC_da = w[layer - 1] * slope * dC_da


def main(output):
    w, b, x, y = np.array([1.2, -0.7, 1.5]), np.array([0.1, 0.4, -0.3]), 0.8, 1.0
    activations = forward(w, b, x)
    print("a⁽⁰⁾, …, a⁽³⁾ =", ", ".join(f"{float(a):.6f}" for a in activations), "  y =", y)
    dw, db = grad(cost, argnums=(0, 1))(w, b, x, y)
    for layer, a, slope, dC_da in backward(w, activations, y):
        above = f"⁽{layer}⁾".translate(UPPER)
        for name, dz, gradient in (("w", a, dw[layer - 1]), ("b", 1.0, db[layer - 1])):
            product = dz * slope * dC_da
            line = f"∂C₀/∂{name}{above} = {dz:.6f} · {slope:.6f} · {dC_da:9.6f} = {product:12.9f}"
            print(f"{line}, grad: {gradient:12.9f}")
            assert np.isclose(product, gradient, rtol=1e-12)

    depth, title, what = 10, "The earlier, the smaller", "|∂C₀/∂w⁽ˡ⁾| in a chain of 10 neurons"
    deep = abs(grad(cost)(np.ones(depth), np.zeros(depth), x, y))
    print(f"of {depth} neurons with w = 1, b = 0: |∂C₀/∂w⁽¹⁾| / |∂C₀/∂w⁽¹⁰⁾| = {deep[0] / deep[-1]:.1e}")
    with picture(output / "earlier_layers.png", title, what, legend=None) as ax:
        ax.bar(range(1, depth + 1), deep, color=COLORS[0])
        ax.set(yscale="log", xlabel="layer l", xticks=range(1, depth + 1))


if __name__ == "__main__":
    present(main)
