"""The pictures of a report, a file each, and what they are drawn with."""
