"""Why gradients are not written by hand: a slip is easy, and training hides it.

ŷ = a W² + b²,   a = tanh(x W¹ + b¹),   C = Σ (ŷ - y)²

The gradient by hand goes from the end to the beginning. It has as many lines as the network, and changes
with it. Change the sigmoid to tanh but keep the sigmoid's derivative, and the loss still falls.
"""

import nnjit.numpy as np
from nnjit import grad
from slide import COLORS, picture, present

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])  # exclusive or
W1, b1 = np.array([[0.9, -1.1, 0.3], [1.2, -0.8, -0.6]]), np.array([-0.4, 1.3, 0.1])
W2, b2 = np.array([[0.7], [0.9], [-0.2]]), np.array([0.0])


def loss(W1, b1, W2, b2):
    return np.sum((np.dot(np.tanh(np.dot(x, W1) + b1), W2) + b2 - y) ** 2)


def by_hand(W1, b1, W2, b2, slope=lambda a: 1 - a**2):
    a = np.tanh(np.dot(x, W1) + b1)
    d2 = 2 * (np.dot(a, W2) + b2 - y)
    d1 = np.dot(d2, W2.T) * slope(a)
    return np.dot(x.T, d1), np.sum(d1, axis=0), np.dot(a.T, d2), np.sum(d2, axis=0)


def with_a_slip(W1, b1, W2, b2):
    return by_hand(W1, b1, W2, b2, slope=lambda a: a * (1 - a))  # the sigmoid's slope


automatic = grad(loss, argnums=(0, 1, 2, 3))


def descend(gradient, steps, rate=0.05):
    params, losses = (W1, b1, W2, b2), []
    for _ in range(steps):
        losses.append(float(loss(*params)))
        params = [p - rate * g for p, g in zip(params, gradient(*params), strict=True)]
    return losses


def main(output, steps):
    title, subtitle = "Training hides a wrong gradient", "loss by step of gradient descent"
    with picture(output / "by_hand.png", title, subtitle, legend="upper right") as ax:
        for gradient, color in ((by_hand, COLORS[0]), (with_a_slip, COLORS[1])):
            pairs = zip(gradient(W1, b1, W2, b2), automatic(W1, b1, W2, b2), strict=True)
            off, losses = max(np.max(abs(a - b)) for a, b in pairs), descend(gradient, steps)
            print(f"{gradient.__name__:11}  differs from grad by {off:.4f}", end=";  ")
            print(f"loss {losses[0]:.4f}, after 20 steps {losses[20]:.4f}, in the end {losses[-1]:.4f}")
            ax.semilogy(losses, color=color, linewidth=1.8, label=gradient.__name__.replace("_", " "))
        ax.set_xlabel("step")


if __name__ == "__main__":
    present(main, steps=200)
