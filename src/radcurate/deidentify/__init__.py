"""Headers: what is kept, how it is changed, and under which pseudonyms it is written."""
