"""Show how a training goes, and tell those who follow it: none of them changes what it computes."""
