"""Read tables: columns as given, before an encoder turns them into inputs."""
