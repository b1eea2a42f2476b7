"""The parts of `scripts/bench.py`: workloads, contestants, and measurements."""
