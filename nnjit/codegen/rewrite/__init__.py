"""Rewrite a graph for lowering: cheaper operations, copies of views, lanes, and sparse rows."""
