"""The lecture's notation: the recurrences of a model, line by line, and how formulas are set."""
