"""The run folder: its file names, what each file holds, and how it is written and read.

A module holds one file as a frozen value, with its writing and its reading, so that `training`,
which writes, and `report`, which reads, cannot drift apart. Only `errors` is imported, so that a reader loads
neither the compiler nor the config.
"""
