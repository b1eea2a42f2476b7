"""The words of the lecture's pictures in Ukrainian."""

# fmt: off
WORDS: dict[str, str] = {
    # by_hand
    "Training hides a wrong gradient": "Навчання приховує хибний градієнт",
    "loss by step of gradient descent": "втрати за кроками градієнтного спуску",
    "by hand": "вручну",
    "with a slip": "з помилкою",
    "step": "крок",
    # predict_loss_grad
    "Descending the gradient": "Спуск проти градієнта",
    "loss by step": "втрати за кроками",
    # tanh_derivatives
    "tanh and its derivatives": "tanh та його похідні",
    "by grad, three times": "grad, застосований тричі",
    # gradient_and_jacobian
    "The gradient points to where f grows fastest": "Градієнт указує напрям найшвидшого зростання f",
    "lines of equal f = x₁² + x₁ x₂ + 2 x₂², and its gradient, at right angles to them":
        "лінії рівня f = x₁² + x₁ x₂ + 2 x₂² та градієнт, перпендикулярний до них",
    # three_ways
    "A formula explodes, a graph grows": "Формула вибухає, граф лише росте",
    "operations in the derivative of lₙ": "кількість операцій у похідній lₙ",
    "in the formula": "у формулі",
    "in the graph": "у графі",
    # limit
    "A difference is never exact; grad is, but for rounding":
        "Різниця завжди наближена, grad точний до заокруглення",
    "error of f′(1) by the step h, for f = exp(sin x)": "похибка f′(1) залежно від кроку h, f = exp(sin x)",
    "truncation h/2 |f″|": "похибка методу h/2 |f″|",
    "rounding ε |f| / h": "заокруглення ε |f| / h",
    "step h": "крок h",
    # earlier_layers
    "The earlier, the smaller": "Що раніше, то менше",
    "|∂C₀/∂w⁽ˡ⁾| in a chain of 10 neurons": "|∂C₀/∂w⁽ˡ⁾| у ланцюжку з 10 нейронів",
    "layer l": "шар l",
    # average_over_data
    "The gradient of the mean is the mean of the gradients": "Градієнт середнього є середнім градієнтів",
    "(∂/∂w, ∂/∂b) of each example's cost, and of the mean cost":
        "(∂/∂w, ∂/∂b) втрат кожного прикладу та середніх втрат",
    "an example's": "одного прикладу",
    "of the mean": "середнього",
    # full_gradient
    "The full gradient": "Повний градієнт",
    "∂C for each of 13 weights and biases of a 2-3-1 network":
        "похідні C за кожною з 13 ваг і зсувів мережі 2-3-1",
    "layer 1": "шар 1",
    "layer 2": "шар 2",
    # graphs
    "14 operations on 4 values": "14 операцій над 4 значеннями",
    "8 operations on 2 values": "8 операцій над 2 значеннями",
    "7 operations on 5 values": "7 операцій над 5 значеннями",
    "boxes: an operation and the type of its result; with a thick border, the results":
        "у рамці: операція й тип її результату; жирна рамка: результати",
    "given": "дано",
    "operation": "операція",
    "forward pass": "прямий прохід",
    "backward pass": "зворотний прохід",
    # forward_or_reverse
    "Forward mode pays by the input, reverse mode by the output":
        "Прямий режим платить за входи, зворотний за виходи",
    "milliseconds; 4 outputs on the left, 4 inputs on the right":
        "мілісекунди; ліворуч 4 виходи, праворуч 4 входи",
    "number of inputs": "кількість входів",
    "number of outputs": "кількість виходів",
    "by forward mode": "прямий режим",
    "by reverse mode": "зворотний режим",
    # recurrences
    "The same descent": "Той самий спуск",
    "cost by epoch": "втрати за епохами",
    "the recurrences": "рекурентні формули",
    "epoch": "епоха",
}
# fmt: on
