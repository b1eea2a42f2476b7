"""Tables in text files: how such a file is written, and its columns as text."""
