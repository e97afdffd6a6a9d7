"""provenance.json: what a release as a whole was made from. Digests and settings; no secret, no path, no date of today."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Settings that say where something lies, or how work is cut up: no number of a release depends on them, but through what
# lies there, and that has a digest of its own.
NOT_CONTENT = {
    "input",
    "key_file",
    "keep_intermediates",
    "series_timeout",
    "fetch",
    "inventory.n_chunks",
    "consent.table",
    "consent.waiver",
    "deidentify.allowlist",
    "deidentify.vocabulary",
    "deidentify.crosswalk",
    "deidentify.recipients",
    "redact.regions",
    "redact.marks",
    "redact.decisions",
    "deface.decisions",
    "extract.extensions",
    "harmonise.parameters",
    "attack.earlier",
    "attack.linkage.registry",
    "attack.linkage.columns",
    "gate.policy",
    "gate.reference",
    "gate.governance",
    "release.version",
    "release.study",
}
PACKAGES = ("radcurate", "numpy", "scipy", "pyarrow", "pydicom", "nibabel", "SimpleITK", "pyradiomics-bhklab")


@dataclass(frozen=True)
class RunRecord:
    """The run that a release comes from.

    `code` and `results` are digests by stage: of the program, and of what became of each series there.
    """

    release: str
    version: str
    policy: str
    policy_digest: str
    status: str
    hipaa_path: str
    dates: str
    key_id: str
    settings: Mapping[str, Any]  # those that numbers depend on
    config_digest: str
    environment_digest: str
    versions: Mapping[str, str]
    code: Mapping[str, str]
    results: Mapping[str, str]

    def as_json(self) -> str:
        """As text with sorted keys."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def config_digest(config: Mapping[str, Any]) -> str:
    """SHA-256 of the settings that a release's numbers depend on."""
    return hashlib.sha256(json.dumps(content_settings(config), sort_keys=True, default=str).encode()).hexdigest()


def content_settings(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The settings without paths and without how work is cut up."""
    kept: dict[str, Any] = {}
    for name, value in config.items():
        if f"{above}{name}" not in NOT_CONTENT:
            kept[name] = content_settings(value, f"{above}{name}.") if isinstance(value, Mapping) else value
    return kept
