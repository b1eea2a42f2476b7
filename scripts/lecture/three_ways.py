"""Three ways to a derivative: by symbols, by differences, and automatically.

l₁ = x,   lₙ₊₁ = 4 lₙ (1 - lₙ)    (the logistic map)

Symbols are exact, but the formula grows exponentially: it repeats what it could name. Differences are short
and inexact. Automatic differentiation is exact, and names each value once: a graph instead of a formula.
"""

from typing import NamedTuple

import nnjit.numpy as np
from nnjit import grad, make_graph
from nnjit.passes import optimize
from slide import COLORS, picture, present


def logistic(n, x):
    for _ in range(n - 1):
        x = 4 * x * (1 - x)
    return x


class Symbol(NamedTuple):
    """A formula and its derivative: school rules, applied to text."""

    text: str
    prime: str

    def __rmul__(self, number):  # (c u)′ = c u′
        return Symbol(f"{number} * {self.text}", f"{number} * {self.prime}")

    def __rsub__(self, number):  # (c - u)′ = -u′
        return Symbol(f"({number} - {self.text})", f"(-{self.prime})")

    def __mul__(self, v):  # (u v)′ = u′ v + u v′
        return Symbol(f"{self.text} * {v.text}", f"({self.prime} * {v.text} + {self.text} * {v.prime})")


def main(output, most):
    x, h, written, nodes = 0.3, 1e-6, [], []
    print("l₂′ =", logistic(2, Symbol("x", "1")).prime)
    print(" n  in the formula  in the graph       by symbols   by differences    automatically")
    for n in range(1, most + 1):
        formula, gradient = logistic(n, Symbol("x", "1")).prime, grad(lambda x, n=n: logistic(n, x))
        written.append(sum(formula.count(sign) for sign in "+-*"))
        nodes.append(sum(bool(node.inputs) for node in optimize(make_graph(gradient)(x)).nodes))
        exact, automatic = eval(formula, {"x": x}), float(gradient(x))
        difference = (logistic(n, x + h) - logistic(n, x)) / h
        print(f"{n:2} {written[-1]:15} {nodes[-1]:13} {exact:16.9f} {difference:16.9f} {automatic:16.9f}")
        assert np.isclose(exact, automatic, rtol=1e-12)
    title, subtitle = "A formula explodes, a graph grows", "operations in the derivative of lₙ"
    with picture(output / "three_ways.png", title, subtitle, legend="upper left") as ax:
        ax.semilogy(range(2, most + 1), written[1:], "o-", color=COLORS[1], label="in the formula")
        ax.semilogy(range(2, most + 1), nodes[1:], "o-", color=COLORS[0], label="in the graph")
        ax.set_xlabel("n")


if __name__ == "__main__":
    present(main, most=8)
