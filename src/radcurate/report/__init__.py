"""The report: what a run found, for people. Documents and tables in, one self-contained HTML page out; no I/O."""
