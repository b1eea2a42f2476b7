"""Where rows are: in memory, or in a file from which a training reads some at a time."""
