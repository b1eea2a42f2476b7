"""Shapes of arrays: what makes, joins, repeats, turns and pads them."""
