"""Checks that data, params and options suit each other, before anything is compiled."""
