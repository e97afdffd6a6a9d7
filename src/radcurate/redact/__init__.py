"""Text and marks that are drawn into pixels: finding them, filling what is under them, and looking again."""
