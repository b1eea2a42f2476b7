"""Read tables in text files: detect how a file is written, and read its columns as text."""
