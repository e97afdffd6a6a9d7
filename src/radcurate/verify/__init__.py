"""An independent reading of what was written; shares no code with what wrote it."""
