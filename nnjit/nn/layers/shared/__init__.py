"""What layers share: base classes, windows, and masks of padding."""
