"""The I/O edge: one module per stage. `run` reads, calls the domain and writes; the only place that opens a run's files."""
