"""What layers share: their base class, windows, recurrence, normalisation and padding."""
