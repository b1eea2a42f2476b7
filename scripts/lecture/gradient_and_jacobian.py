"""All first derivatives at once: the gradient of a scalar, the Jacobian of a vector.

f: Rⁿ → R    ∇f = (∂f/∂x₁, …, ∂f/∂xₙ)       has the shape of x
F: Rⁿ → Rᵐ   J with J[i, j] = ∂Fᵢ/∂xⱼ        has shape (m, n); row i is the gradient of Fᵢ
"""

import nnjit.numpy as np
from nnjit import grad, jacobian, jvp, vjp, vmap
from slide import COLORS, MUTED, picture, present


def f(x):
    return x[0] ** 2 + x[0] * x[1] + 2 * x[1] ** 2  # ∇f = (2 x₁ + x₂, x₁ + 4 x₂)


def F(x):  # noqa: N802  # as on the slide
    r, angle = x[0], x[1]
    return np.stack([r * np.cos(angle), r * np.sin(angle), r**2])


def main(output):
    x = np.array([2.0, 0.5])
    print(f"f: R² → R,  x = {x}: f(x) = {float(f(x)):g}")
    print(f"∇f(x) = {grad(f)(x)}, shape {grad(f)(x).shape}; by hand {np.array([2 * 2 + 0.5, 2 + 4 * 0.5])}")

    J = jacobian(F)(x)
    print(f"F: R² → R³: F(x) = {F(x)}\nJ(x), shape {J.shape} =\n{J}")
    rows = [grad(lambda x, i=i: F(x)[i])(x) for i in range(3)]
    print(f"its rows are gradients: {np.array_equal(J, np.stack(rows))}")
    v, u = np.array([1.0, -1.0]), np.array([1.0, 0.0, 2.0])
    print(f"J v by forward mode  {jvp(F, (x,), (v,))[1]} = {J @ v}")
    print(f"uᵀ J by reverse mode {vjp(F, x)[1](u)[0]} = {u @ J}")

    side = np.linspace(-1.75, 1.75, 8)
    points = np.stack([axis.ravel() for axis in np.meshgrid(side, side)], axis=1)
    fine = np.linspace(-2.2, 2.2, 89)
    heights = vmap(lambda b: vmap(lambda a: f(np.stack([a, b])))(fine))(fine)
    title = "The gradient points to where f grows fastest"
    what = "lines of equal f = x₁² + x₁ x₂ + 2 x₂², and its gradient, at right angles to them"
    with picture(output / "gradient.png", title, what, height=560, legend=None) as ax:
        ax.contour(fine, fine, heights, levels=12, colors=MUTED, linewidths=0.8)
        ax.quiver(*points.T, *vmap(grad(f))(points).T, color=COLORS[0], angles="xy", width=0.003)
        ax.set(aspect="equal", xlabel="x₁", ylabel="x₂")


if __name__ == "__main__":
    present(main)
