"""Parts and the order of elements: what reads, writes, sorts and finds them."""
