"""Functions and indices that the notation of several layers names, each with its one explanation."""

IS_DATA = {"is_data(x)": "0 for a step of padding, whose features all have its mask_value, else 1"}
OVER_STEPS = {"Σₜ": "the sum over the steps"}
WINDOWS = {
    "windows(x)": "what each place sees of x, as a row; of a pooling a row for each channel",
    "overlap(r)": "for each element, the sum of what the rows of r that see it have at it",
}
GROUPS = {"x[p], […]ₚ": "group p, an equal part of the channels or the filters; the groups side by side"}
SPREAD = {"spread(g)": "g of a place at every element that the place sees"}
