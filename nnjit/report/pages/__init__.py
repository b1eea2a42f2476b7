"""Text, advice and templates of a report."""
