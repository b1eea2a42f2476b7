"""The chain rule for one neuron, factor by factor.

z = w a_prev + b,   a = σ(z),   C = (a - y)²

∂C/∂w      = ∂z/∂w      ∂a/∂z ∂C/∂a = a_prev σ′(z) 2 (a - y)
∂C/∂b      = ∂z/∂b      ∂a/∂z ∂C/∂a =      1 σ′(z) 2 (a - y)
∂C/∂a_prev = ∂z/∂a_prev ∂a/∂z ∂C/∂a =      w σ′(z) 2 (a - y)
"""

import nnjit.numpy as np
from nnjit import draw, grad, make_graph
from slide import present


def neuron(w, b, a_prev):
    return w * a_prev + b


def cost_of(a, y):
    return (a - y) ** 2


def cost(w, b, a_prev, y):
    return cost_of(np.sigmoid(neuron(w, b, a_prev)), y)


def main(output):
    w, b, a_prev, y = 0.6, 0.9, 1.5, 0.0
    z = neuron(w, b, a_prev)
    a = np.sigmoid(z)
    print(f"w = {w}, b = {b}, a_prev = {a_prev}, y = {y}")
    print(f"z = {z:.6f}, a = {a:.6f}, C = {cost(w, b, a_prev, y):.6f}\n")

    dC_da, da_dz = grad(cost_of)(a, y), grad(np.sigmoid)(z)
    print(f"∂C/∂a = {dC_da:.6f}   2 (a - y)    = {2 * (a - y):.6f}")
    print(f"∂a/∂z = {da_dz:.6f}   σ (1 - σ)(z) = {a * (1 - a):.6f}\n")

    local = grad(neuron, argnums=(0, 1, 2))(w, b, a_prev)
    whole = grad(cost, argnums=(0, 1, 2))(w, b, a_prev, y)
    for name, dz, gradient in zip(("w", "b", "a_prev"), local, whole, strict=True):
        product = dz * da_dz * dC_da
        line = f"∂z/∂{name:6} ∂a/∂z ∂C/∂a = {dz:.2f} · {da_dz:.6f} · {dC_da:.6f} = {product:.9f}"
        print(f"{line}, grad: {gradient:.9f}")
        assert np.isclose(product, gradient, rtol=1e-14)

    path = output / "one_neuron_chain.png"
    draw(make_graph(cost)(w, b, a_prev, y), path, backward=True)
    print(f"drawn: {path}")


if __name__ == "__main__":
    present(main)
