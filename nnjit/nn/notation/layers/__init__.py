"""The notation of each layer: a function from the layer and the shapes of its inputs to its recurrence."""
