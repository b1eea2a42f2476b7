"""The implementation of `scripts/bench.py`: workloads, contestants and measurements."""
