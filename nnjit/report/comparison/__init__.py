"""The comparison of several runs: what they reached, in what they differ, and its page."""
