"""Files whose columns have types: read whole, a block at a time, or column by column."""
