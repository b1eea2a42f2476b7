"""The run folder: the files that a training leaves, how they are written, and how they are read."""
