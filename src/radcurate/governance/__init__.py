"""Consent and policies: who may be used for what, and what a release must satisfy."""
