"""The lecture's notation: a model's recurrences line by line, and the typesetting of formulas."""
