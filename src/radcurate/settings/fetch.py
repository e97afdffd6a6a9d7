"""Options of fetch: archives and DICOMweb servers as input."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from radcurate.settings.section import Section


class Dicomweb(Section):
    """What is asked of a DICOMweb server (input: dicomweb+https://HOST/PATH), and how patiently."""

    studies: str | None = Field(
        None,
        description="File of mode 0600 with the StudyInstanceUIDs to fetch, one a line; all that the other filters leave when absent.",
    )
    modalities: tuple[str, ...] = Field(
        (),
        description="Modalities of the series to fetch, such as CT, RTSTRUCT, SEG; all when empty. Contours are series of their own: "
        "name their modality too.",
    )
    since: date | None = Field(None, description="First StudyDate to fetch.")
    until: date | None = Field(None, description="Last StudyDate to fetch.")
    credentials: str | None = Field(
        None,
        description="File of mode 0600 with lines such as user=…, password=…; or token=…; or certificate=FILE and key=FILE. "
        "Never given here: configurations are kept and shared.",
    )
    authority: str | None = Field(
        None, description="File with the certificates (PEM) that sign the server's, where the system doesn't know them."
    )
    timeout: float = Field(60.0, gt=0, description="Seconds without a byte after which an answer is given up.")
    retries: int = Field(
        5, ge=0, le=100, description="How often a request that failed is tried again, after 1, 2, 4, … seconds."
    )
    rate: float = Field(0.0, ge=0, description="Most requests a second; 0: as many as the server answers.")
    connections: int = Field(2, ge=1, le=32, description="Studies that are fetched at a time.")
    page: int = Field(1000, ge=1, description="Entries that are asked for at a time.")

    @model_validator(mode="after")
    def _days_in_order(self) -> Dicomweb:
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is not after until")
        return self


class Fetch(Section):
    """Make plain files of archives and of a DICOMweb server."""

    archives: bool = Field(
        True,
        description="Open archives (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst) that lie in the input folder; otherwise they are "
        "set aside.",
    )
    nesting: int = Field(2, ge=0, le=10, description="Archives within archives that are opened, levels deep.")
    most_gigabytes: float = Field(
        2000.0,
        gt=0,
        description="Most gigabytes (2^30 bytes) that may come out of one archive; more is refused as a whole.",
    )
    most_files: int = Field(1_000_000, ge=1, description="Most files that may come out of one archive.")
    most_ratio: float = Field(
        100.0,
        gt=1,
        description="Most bytes for one byte of an archive, looked at once more than a gigabyte came out of it.",
    )
    dicomweb: Dicomweb = Dicomweb()
