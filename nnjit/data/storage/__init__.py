"""Store rows: in memory, or in a file from which training reads some at a time."""
