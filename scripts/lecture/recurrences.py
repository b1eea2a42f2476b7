"""From the recurrences to a YAML file: the formulas of `nnjit explain`, evaluated with NumPy.

The code follows the output of `nnjit explain configs/lecture_chain.yaml` line by line. `nnjit train` runs
the same descent as one compiled loop, with the same cost at every epoch.
"""

from pathlib import Path

import numpy as np

import nnjit
from slide import COLORS, picture, present


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost_and_gradient(W, b, x, y):
    """C, and ∂C/∂W⁽ˡ⁾ and ∂C/∂b⁽ˡ⁾ for l = 1, …, L."""
    n, L, a = len(x), len(W), [x]
    for l in range(L):  # noqa: E741  # as in the formulas
        z = a[l] @ W[l] + b[l]
        a.append(sigmoid(z))
    dC_da = 1 / n * 2 * (a[L] - y)
    delta = dC_da * a[L] * (1 - a[L])
    dW, db = [None] * L, [None] * L
    for l in reversed(range(L)):  # noqa: E741
        dW[l], db[l] = a[l].T @ delta, delta.sum(axis=0)
        delta = (delta @ W[l].T) * a[l] * (1 - a[l])
    return np.mean((a[L] - y) ** 2), dW, db


def main(output, epochs):
    config = Path(__file__).parents[2] / "configs" / "lecture_chain.yaml"
    start, whole = (nnjit.fit(config, [f"training.epochs={count}"], output=False) for count in (1, epochs))
    data, lr = whole.experiment.data, whole.experiment.optimizer.learning_rate
    x, y = np.array(data.x)[:, None], np.array(data.y)[:, None]
    W, b = [w.reshape(1, 1) for w in start.theta[::2]], [bias.reshape(1) for bias in start.theta[1::2]]
    costs = []
    for _ in range(1, epochs):  # from the weights after the first epoch
        cost, dW, db = cost_and_gradient(W, b, x, y)
        costs.append(cost)
        W = [w - lr * dw for w, dw in zip(W, dW, strict=True)]
        b = [bias - lr * d for bias, d in zip(b, db, strict=True)]
    trained = whole.history["train_loss"][1:]
    print("epoch   by the recurrences   by nnjit train")
    for epoch in (2, 3, 10, 100, 1000, 3000):
        if epoch <= epochs:
            print(f"{epoch:5} {costs[epoch - 2]:20.12f} {trained[epoch - 2]:16.12f}")
    assert np.allclose(costs, trained, rtol=1e-9)
    with picture(output / "recurrences.png", "The same descent", "cost by epoch", legend="upper right") as ax:
        some = np.unique(np.geomspace(1, epochs - 1, 25).astype(int)) - 1
        ax.loglog(range(2, epochs + 1), trained, color=COLORS[0], linewidth=1.8, label="nnjit train")
        ax.loglog(some + 2, np.array(costs)[some], "o", color=COLORS[1], label="the recurrences")
        ax.set_xlabel("epoch")


if __name__ == "__main__":
    present(main, epochs=3000)
