"""The words, advice and templates of a report."""
