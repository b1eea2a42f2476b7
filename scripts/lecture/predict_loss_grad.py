"""A neural network, its loss and its gradient: the program of the lecture.

For JAX, only the first two lines change: `import jax.numpy as np` and `from jax import grad`.
"""

import nnjit.numpy as np
from nnjit import grad
from slide import COLORS, picture, present


def predict(params, inputs):
    for W, b in params:
        outputs = np.dot(inputs, W) + b
        inputs = np.tanh(outputs)
    return outputs


def loss_fun(params, inputs, targets):
    preds = predict(params, inputs)
    return np.sum((preds - targets) ** 2)


gradient_fun = grad(loss_fun)

inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = np.array([[0.0], [1.0], [1.0], [0.0]])  # exclusive or
first = [  # weights and biases of 2 inputs, 3 neurons, 1 output
    (np.array([[0.9, -1.1, 0.3], [1.2, -0.8, -0.6]]), np.array([-0.4, 1.3, 0.1])),
    (np.array([[0.7], [0.9], [-0.2]]), np.array([0.0])),
]


def descend(params, steps, rate=0.05):
    """Losses and params after each step of gradient descent."""
    losses = [float(loss_fun(params, inputs, targets))]
    for _ in range(steps):
        gradient = gradient_fun(params, inputs, targets)
        params = [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(params, gradient, strict=True)]
        losses.append(float(loss_fun(params, inputs, targets)))
    return losses, params


def main(output, steps):
    for layer, (dW, db) in enumerate(gradient_fun(first, inputs, targets), start=1):
        print(f"layer {layer}: ∂C/∂W of shape {dW.shape}\n{dW}\n         ∂C/∂b of shape {db.shape}\n{db}")
    losses, params = descend(first, steps)
    print(f"loss {losses[0]:.4f}, after {steps} steps {losses[-1]:.6f}")
    print(f"predictions {predict(params, inputs)[:, 0]} for targets {targets[:, 0]}")
    with picture(output / "loss.png", "Descending the gradient", "loss by step", legend=None) as ax:
        ax.semilogy(losses, color=COLORS[0], linewidth=1.8)
        ax.set_xlabel("step")


if __name__ == "__main__":
    present(main, steps=200)
