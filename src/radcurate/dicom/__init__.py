"""Bytes and headers: reading, grouping into series, the reference graph."""
