"""Break trainings on purpose, and see whether what is left can be finished, bit for bit."""
