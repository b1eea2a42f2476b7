"""Shared by layers: base classes, windows, and padding masks."""
