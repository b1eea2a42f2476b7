"""The training loop: native epochs, stopping rules, and the files written on the way."""
