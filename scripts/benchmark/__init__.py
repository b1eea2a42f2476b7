"""The parts of `scripts/bench.py`: workloads, contestants, and what is measured of them."""
