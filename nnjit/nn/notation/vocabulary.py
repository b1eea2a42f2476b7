"""The vocabulary of the lines: symbols, functions and indices, each with its one explanation."""

GENERAL = {
    "a⁽⁰⁾, a⁽ˡ⁾": "the data, and the output of layer l, a row for each of the n examples",
    "δ⁽ˡ⁾": "∂C/∂z⁽ˡ⁾, with z⁽ˡ⁾ the argument of the layer's function",
    "⊙": "the elementwise product",
    "Σₖ": "the sum over the examples, and over their places or steps",
    "Σⱼ": "the sum over the last axis",
    "θ, g": "all params in one vector, and the gradient of the cost (with its penalty) by it",
}

# Shared by several layers:
IS_DATA = {"is_data(x)": "0 for a step of padding, all of it the mask_value or the padding_index, else 1"}
OVER_STEPS = {"Σₜ": "the sum over the steps"}
WINDOWS = {
    "windows(x)": "the part of x that each place sees, as a row; in pooling, a row for each channel",
    "overlap(r)": "for each element, the sum over the rows of r that see it",
}
GROUPS = {"x[p], […]ₚ": "group p, an equal part of the channels or the filters; the groups side by side"}
SPREAD = {"spread(g)": "g of each place, at every element that the place sees"}
