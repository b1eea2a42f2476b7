"""The pictures of a report, one file each, and the drawing functions that they share."""
