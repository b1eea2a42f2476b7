"""Read image files: list them, find their classes, and decode their pixels."""
