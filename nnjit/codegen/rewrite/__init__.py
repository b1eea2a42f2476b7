"""Rewrite a graph for lowering: operations that kernels compute well, views, copies, lanes, sparse rows."""
