"""A derivative is itself a function, so it has a derivative: tanh and its first three.

tanh′ = 1 - tanh²,   tanh″ = -2 tanh tanh′,   tanh‴ = -2 tanh′² - 2 tanh tanh″
"""

import nnjit.numpy as np
from nnjit import grad, vmap
from slide import COLORS, picture, present

first = grad(np.tanh)
second = grad(first)
third = grad(second)

NAMES = ("tanh", "tanh′", "tanh″", "tanh‴")
FUNCTIONS = (np.tanh, first, second, third)


def by_hand(x):
    """The same derivatives by the formulas above."""
    t = np.tanh(x)
    d1 = 1 - t**2
    d2 = -2 * t * d1
    return t, d1, d2, -2 * d1**2 - 2 * t * d2


def main(output):
    for x in (0.0, 0.5, 1.0):
        for name, f, formula in zip(NAMES, FUNCTIONS, by_hand(x), strict=True):
            value, hand = float(f(x)) + 0.0, float(formula) + 0.0  # without the sign of -0
            print(f"{name + '(' + str(x) + ')':11} = {value:10.7f}, by hand {hand:10.7f}")
    xs = np.linspace(-4, 4, 401)
    with picture(output / "tanh_derivatives.png", "tanh and its derivatives", "by grad, three times") as ax:
        for name, f, color in zip(NAMES, FUNCTIONS, COLORS, strict=True):
            ax.plot(xs, vmap(f)(xs), color=color, linewidth=2, label=name)
        ax.set_xlabel("x")


if __name__ == "__main__":
    present(main)
