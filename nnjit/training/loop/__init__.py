"""The training loop: spans of native epochs, what stops them, and what is written on the way."""
