"""Forward or reverse mode? A Jacobian of m outputs by n inputs is made of

n products J eⱼ by forward mode (jvp), each of them a column, or of
m products eᵢᵀ J by reverse mode (vjp), each of them a row.

So few inputs ask for forward mode, and few outputs, as a cost has, for reverse mode.
"""

from time import perf_counter

import nnjit.numpy as np
from nnjit import linearize, vjp
from slide import COLORS, picture, present


def function(n, m):
    """A map from n inputs to m outputs."""
    W = np.sin(np.arange(1.0, 1 + n * m)).reshape(n, m)
    return lambda x: np.tanh(np.dot(x, W))


def by_forward_mode(f, x):
    _, push = linearize(f, x)
    return np.stack([push(e) for e in np.eye(len(x))], axis=1)


def by_reverse_mode(f, x):
    y, back = vjp(f, x)
    return np.stack([back(e)[0] for e in np.eye(len(y))])


def milliseconds(jacobian, n, m):
    """The least of three times."""
    f, x, times = function(n, m), np.linspace(-1, 1, n), []
    for _ in range(3):
        begin = perf_counter()
        J = jacobian(f, x)
        times.append(1e3 * (perf_counter() - begin))
    assert J.shape == (m, n)
    return round(min(times), 3)


def main(output, most):
    sizes = [size for size in (1, 2, 4, 8, 16, 32, 64, 128, 256) if size <= most]
    few = min(4, most)
    cases = {"inputs": [(n, few) for n in sizes], "outputs": [(few, m) for m in sizes]}
    title = "Forward mode pays by the input, reverse mode by the output"
    what = f"milliseconds; {few} outputs on the left, {few} inputs on the right"
    with picture(output / "forward_or_reverse.png", title, what, columns=2, legend="upper left") as axes:
        for ax, (name, shapes) in zip(axes, cases.items(), strict=True):
            ax.set(xlabel=f"number of {name}", xscale="log", yscale="log")
            for mode, color in zip((by_forward_mode, by_reverse_mode), COLORS, strict=False):
                times = [milliseconds(mode, n, m) for n, m in shapes]
                print(f"{mode.__name__:16} ms for {name} {dict(zip(sizes, times, strict=True))}")
                ax.plot(sizes, times, "o-", color=color, label=mode.__name__.replace("_", " "))


if __name__ == "__main__":
    present(main, most=256)
