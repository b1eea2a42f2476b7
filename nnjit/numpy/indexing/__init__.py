"""Indexing: read, write, sort and search elements."""
