"""The record of processing: who did what, when, on which digests; a chain in which edits show."""
