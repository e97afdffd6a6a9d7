"""Why an archive, or a part of one, is not used; a row with the reason tells it."""

from __future__ import annotations

from dataclasses import dataclass, field


class Refused(Exception):  # noqa: N818 - it is a verdict on an archive, not an error of the program
    """An archive that is not used at all; `reason` is a code of `dicom.reasons.FILE_REMEDIES`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Problem:
    """Something that was named or packed but is not among the files.

    name: path of the archive or member as it would lie in the folder of files.
    series, sop: the instance that is missing with it, where that could be told.
    """

    name: str = field(repr=False)
    reason: str
    size: int = 0
    series: str | None = field(default=None, repr=False)
    sop: str | None = field(default=None, repr=False)
