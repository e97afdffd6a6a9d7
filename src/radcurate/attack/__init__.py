"""Attacks on what is about to be released, each with controls and an interval, and the risks that follow from them."""
