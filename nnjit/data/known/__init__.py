"""Prepare new data for a trained network, by what it knows of its training data."""
