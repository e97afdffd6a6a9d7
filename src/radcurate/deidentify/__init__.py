"""Header de-identification: an allow-list of attributes and of values, keyed pseudonyms, dates, UIDs, the file container.

Nothing is copied because it was there: each element is read by this package's own strict reader, allowed by a row of the
policy, checked against what its value may be, and written anew.
"""
