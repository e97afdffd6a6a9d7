"""Reasons why a file can't be rewritten safely; its series is then quarantined with the reason and the remedy."""

from __future__ import annotations


class Unsafe(Exception):  # noqa: N818 - it is a verdict on a file, not an error of the program
    """A file that can't be rewritten safely.

    Args:
        reason: short code, kept in `series.parquet`.
        remedy: what the user can do. Neither ever holds a value of the file.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy

    def __reduce__(self) -> tuple[object, ...]:
        return (Unsafe, (self.reason, self.remedy))


EXPORT_AGAIN = "export the series again from the archive; the file is damaged or contradicts itself"


def damaged(detail: str) -> Unsafe:
    """A file whose bytes don't form the data set it declares; `detail` is a code such as element_length."""
    return Unsafe(f"unreadable_{detail}", EXPORT_AGAIN)
