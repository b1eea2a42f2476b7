"""Cut tables in time order into windows of steps, each with the values that follow."""
