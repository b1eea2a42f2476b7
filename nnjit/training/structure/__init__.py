"""The structure of a task, which is compiled, and its numbers, which are inputs of compiled steps."""
