"""Judge a finished training: what its values are compared with, and what its predictions depend on."""
