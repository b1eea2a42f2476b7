"""Forward or reverse mode? A Jacobian of m outputs by n inputs consists of

n products J eⱼ by forward mode (jvp), one per column, or of
m products eᵢᵀ J by reverse mode (vjp), one per row.
So forward mode suits few inputs, and reverse mode few outputs, such as a cost.
"""

import timeit

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
    """The shortest of three runs."""
    f, x = function(n, m), np.linspace(-1, 1, n)
    return min(timeit.repeat(lambda: jacobian(f, x), number=1, repeat=3)) * 1e3


def quicker(ratio):
    return "reverse mode" if ratio >= 4 else "forward mode" if ratio <= 1 / 4 else "neither"


def main(output, most):
    sizes, few = [size for size in (1, 4, 16, 64, 256) if size <= most], 4
    modes = (by_forward_mode, by_reverse_mode)
    cases = {"inputs": [(n, few) for n in sizes], "outputs": [(few, m) for m in sizes]}
    title = "Forward mode pays by the input, reverse mode by the output"
    what = f"milliseconds; {few} outputs on the left, {few} inputs on the right"
    print("inputs outputs  products J e  products eᵀ J  four times as fast")
    with picture(output / "forward_or_reverse.png", title, what, columns=2, legend="upper left") as axes:
        for ax, (name, shapes) in zip(axes, cases.items(), strict=True):
            ax.set(xlabel=f"number of {name}", xscale="log", yscale="log")
            forward, reverse = ([milliseconds(mode, n, m) for n, m in shapes] for mode in modes)
            ax.plot(sizes, forward, "o-", color=COLORS[0], label="by forward mode")
            ax.plot(sizes, reverse, "o-", color=COLORS[1], label="by reverse mode")
            for (n, m), ratio in zip(shapes, np.array(forward) / np.array(reverse), strict=True):
                print(f"{n:6} {m:7} {n:13} {m:14}  measured: {quicker(ratio)}")


if __name__ == "__main__":
    present(main, most=256)
