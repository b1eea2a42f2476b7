"""Read files with typed columns: whole, in blocks, or column by column."""
