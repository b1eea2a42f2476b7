"""Run calls on the threads of this process, or on a cluster of other machines."""
