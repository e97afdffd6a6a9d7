"""One script per promised figure; `python -m benchmarks` runs them all and ends with one line each."""
