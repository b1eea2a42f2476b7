"""Tables: their columns as they were given, before an encoder makes inputs of them."""
