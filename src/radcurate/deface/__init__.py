"""Faces: is a head in view, where is its face, what removing it changed."""
