"""How far a feature's value moves when image and contour move a little, and which features that spares."""
