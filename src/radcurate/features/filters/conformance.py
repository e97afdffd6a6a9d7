"""What the filters' responses and features have been compared with."""

from __future__ import annotations

# Kinds of filter that IBSI-2 has reference feature values for.
COMPARED = ("mean", "log", "laws", "gabor", "wavelet", "simoncelli")
