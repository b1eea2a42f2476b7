"""Break training runs on purpose, and check that finishing them gives the same bits."""
