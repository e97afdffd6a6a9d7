"""IBSI features: preprocessing, engines, the catalogue of names and codes."""
