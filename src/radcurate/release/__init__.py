"""The release: what is in it, and how it describes itself."""
