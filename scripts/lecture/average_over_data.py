"""The cost of a data set is the mean over its examples, and so is the gradient.

C = 1/n Σ Cₖ    ⇒    ∂C/∂w = 1/n Σ ∂Cₖ/∂w
"""

import nnjit.numpy as np
from nnjit import grad, vmap
from slide import COLORS, INK, MUTED, picture, present

EACH = (None, None, 0, 0)  # the same w and b for every example


def cost_of_example(w, b, x, y):
    return (np.sigmoid(w * x + b) - y) ** 2


def cost(w, b, x, y):
    return np.mean(vmap(cost_of_example, in_axes=EACH)(w, b, x, y))


def main(output):
    w, b = 0.6, 0.2
    x = np.array([-1.5, -0.8, -0.1, 0.3, 0.9, 1.4])
    y = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])

    each_w, each_b = vmap(grad(cost_of_example, argnums=(0, 1)), in_axes=EACH)(w, b, x, y)
    print("example        x     y    ∂Cₖ/∂w     ∂Cₖ/∂b")
    for k, row in enumerate(zip(x, y, each_w, each_b, strict=True), start=1):
        print("{:7}  {:7.2f} {:5.0f}  {:8.5f}   {:8.5f}".format(k, *row))
    mean_w, mean_b = np.mean(each_w), np.mean(each_b)
    dw, db = grad(cost, argnums=(0, 1))(w, b, x, y)
    print(f"mean of gradients      {mean_w:9.6f}  {mean_b:9.6f}")
    print(f"gradient of the mean   {dw:9.6f}  {db:9.6f}")
    assert np.isclose(dw, mean_w, rtol=1e-12)
    assert np.isclose(db, mean_b, rtol=1e-12)

    title = "The gradient of the mean is the mean of the gradients"
    what = "(∂/∂w, ∂/∂b) of each example's cost, and of the mean cost"
    with picture(output / "average_over_data.png", title, what, height=520, legend="upper left") as ax:
        arrow = {"angles": "xy", "scale_units": "xy", "scale": 1}
        ax.quiver(0 * x, 0 * x, each_w, each_b, color=COLORS[0], width=0.004, label="an example's", **arrow)
        ax.quiver(0, 0, dw, db, color=COLORS[1], width=0.009, label="of the mean", zorder=3, **arrow)
        for k, (dw_k, db_k) in enumerate(zip(each_w, each_b, strict=True), start=1):
            length = np.hypot(dw_k, db_k)
            place = (12 * dw_k / length, 12 * db_k / length)  # beyond the arrow's head
            ax.annotate(
                str(k), (dw_k, db_k), place, textcoords="offset points", color=INK, ha="center", va="center"
            )
        ax.axhline(0, color=MUTED, linewidth=0.6)
        ax.axvline(0, color=MUTED, linewidth=0.6)
        ax.set(xlabel="∂/∂w", ylabel="∂/∂b", xlim=(-0.45, 0.35), ylim=(-0.4, 0.4))


if __name__ == "__main__":
    present(main)
