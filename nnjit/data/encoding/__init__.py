"""Kinds of columns, and the encoder that makes inputs of a table."""
