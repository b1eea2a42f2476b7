"""The run folder: its file names, the content of each file, and how it is written and read.

Each module holds one file as a frozen value that writes and reads itself, so that `training`, which writes,
and `report`, which reads, cannot drift apart. Only `errors` is imported, so that readers load neither the
compiler nor the config.
"""
