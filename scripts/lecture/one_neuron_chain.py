"""The chain rule for one neuron, factor by factor.

z⁽ᴸ⁾ = w⁽ᴸ⁾ a⁽ᴸ⁻¹⁾ + b⁽ᴸ⁾,   a⁽ᴸ⁾ = σ(z⁽ᴸ⁾),   C₀ = (a⁽ᴸ⁾ - y)²

∂C₀/∂w⁽ᴸ⁾   = ∂z⁽ᴸ⁾/∂w⁽ᴸ⁾   ∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ ∂C₀/∂a⁽ᴸ⁾ = a⁽ᴸ⁻¹⁾ σ′(z⁽ᴸ⁾) 2 (a⁽ᴸ⁾ - y)
∂C₀/∂b⁽ᴸ⁾   = ∂z⁽ᴸ⁾/∂b⁽ᴸ⁾   ∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ ∂C₀/∂a⁽ᴸ⁾ =      1 σ′(z⁽ᴸ⁾) 2 (a⁽ᴸ⁾ - y)
∂C₀/∂a⁽ᴸ⁻¹⁾ = ∂z⁽ᴸ⁾/∂a⁽ᴸ⁻¹⁾ ∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ ∂C₀/∂a⁽ᴸ⁾ =   w⁽ᴸ⁾ σ′(z⁽ᴸ⁾) 2 (a⁽ᴸ⁾ - y)
"""

import nnjit.numpy as np
from nnjit import draw, grad, make_graph
from slide import present, save


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
    print(f"w⁽ᴸ⁾ = {w}, b⁽ᴸ⁾ = {b}, a⁽ᴸ⁻¹⁾ = {a_prev}, y = {y}")
    print(f"z⁽ᴸ⁾ = {z:.6f}, a⁽ᴸ⁾ = {a:.6f}, C₀ = {cost(w, b, a_prev, y):.6f}\n")

    dC_da, da_dz = grad(cost_of)(a, y), grad(np.sigmoid)(z)
    print(f"∂C₀/∂a⁽ᴸ⁾   = {dC_da:.6f} = 2 (a⁽ᴸ⁾ - y)")
    print(f"∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ = {da_dz:.6f} = σ (1 - σ)(z⁽ᴸ⁾)\n")
    assert np.isclose(dC_da, 2 * (a - y), rtol=1e-14)
    assert np.isclose(da_dz, a * (1 - a), rtol=1e-14)

    local = grad(neuron, argnums=(0, 1, 2))(w, b, a_prev)
    whole = grad(cost, argnums=(0, 1, 2))(w, b, a_prev, y)
    for name, dz, gradient in zip(("w⁽ᴸ⁾", "b⁽ᴸ⁾", "a⁽ᴸ⁻¹⁾"), local, whole, strict=True):
        product = dz * da_dz * dC_da
        print(f"∂C₀/∂{name:6} = ∂z⁽ᴸ⁾/∂{name:6} · ∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ · ∂C₀/∂a⁽ᴸ⁾")
        print(f"             = {dz:.2f} · {da_dz:.6f} · {dC_da:.6f} = {product:.9f}, grad: {gradient:.9f}")
        assert np.isclose(product, gradient, rtol=1e-14)

    save(draw(make_graph(cost)(w, b, a_prev, y), backward=True), output / "one_neuron_chain.png")


if __name__ == "__main__":
    present(main)
