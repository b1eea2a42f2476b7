"""Shapes of arrays: create, join, repeat, rotate and pad them."""
