"""Apply what a trained network knows of its data to data that is new to it."""
