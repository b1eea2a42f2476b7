"""The structure of a task, which decides what is compiled, and its numbers, which compiled steps take."""
