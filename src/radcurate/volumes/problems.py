"""Why a volume or a contour can't be used: a short code in front of the explanation."""

from __future__ import annotations

from radcurate.errors import CurationError


class VolumeError(CurationError):
    """A `CurationError` with a short code, such as `grid_mismatch`, for the reason column of a table."""

    def __init__(self, reason: str, sentence: str, *, wanted: str, found: str, fix: str) -> None:
        super().__init__(f"{reason}: {sentence}", wanted=wanted, found=found, fix=fix)
        self.reason, self.sentence = reason, sentence

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the code when the error crosses a process boundary."""
        return (_rebuild, (self.reason, self.sentence, self.wanted, self.found, self.fix))


def _rebuild(reason: str, sentence: str, wanted: str, found: str, fix: str) -> VolumeError:
    return VolumeError(reason, sentence, wanted=wanted, found=found, fix=fix)
