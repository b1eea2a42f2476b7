"""The derivative is a limit, which a computer cannot take: it can only compute differences.

f′(x) = lim  (f(x + h) - f(x)) / h   for h → 0

The difference has a truncation error, h/2 |f″(x)|, and a rounding error, about ε |f(x)| / h, because f is
known only to ε = 2⁻⁵². A smaller step makes the first smaller and the second larger.
"""

import nnjit.numpy as np
from nnjit import grad
from slide import COLORS, INK, MUTED, picture, present

EPSILON = np.finfo(np.float64).eps
X = 1.0


def f(x):
    return np.exp(np.sin(x))


def exact(x):
    return np.cos(x) * np.exp(np.sin(x))  # by hand


def main(output):
    truth, second = exact(X), abs(float(grad(grad(f))(X)))
    steps = np.logspace(-16, 0, 97)
    forward = abs((f(X + steps) - f(X)) / steps - truth)
    central = abs((f(X + steps) - f(X - steps)) / (2 * steps) - truth)
    ours = abs(float(grad(f)(X)) - truth)
    for name, errors in (("forward", forward), ("central", central)):
        best = errors.argmin()
        print(f"{name} difference: error at best {errors[best]:.1e}, with the step {steps[best]:.1e}")
    print(f"grad: error {ours:.1e}; f′({X:g}) = {float(grad(f)(X)):.16f}")
    title = "A difference is never exact; grad is, but for rounding"
    what = "error of f′(1) by the step h, for f = exp(sin x)"
    with picture(output / "limit.png", title, what, height=460, legend="upper center") as ax:
        ax.loglog(steps, forward, ".", color=COLORS[0], label="(f(x + h) - f(x)) / h")
        ax.loglog(steps, central, ".", color=COLORS[1], label="(f(x + h) - f(x - h)) / 2h")
        ax.loglog(steps, steps / 2 * second, color=MUTED, linewidth=1.2, label="truncation h/2 |f″|")
        ax.loglog(steps, EPSILON * f(X) / steps, "--", color=MUTED, linewidth=1.2, label="rounding ε |f| / h")
        ax.axhline(max(ours, EPSILON * truth / 2), color=INK, linewidth=2, label="grad(f)")
        ax.set_ylim(1e-17, 1e7)
        ax.set_xlabel("step h")


if __name__ == "__main__":
    present(main)
