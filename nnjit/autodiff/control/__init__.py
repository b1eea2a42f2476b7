"""Control flow inside a graph: loops and branches, whose derivatives are again loops and branches."""
