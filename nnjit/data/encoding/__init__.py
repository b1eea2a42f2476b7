"""Column kinds, and the encoder that turns a table into inputs."""
