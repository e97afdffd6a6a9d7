"""Bytes and headers: finding files, reading headers, grouping into series, linking contours to images."""

from __future__ import annotations

from radcurate.dicom.tree import fingerprint

__all__ = ["fingerprint"]
