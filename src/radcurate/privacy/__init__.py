"""Disclosure risk: equivalence classes, k, l, t, generalisation and suppression."""
