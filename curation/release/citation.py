"""The file CITATION.cff (Citation File Format 1.2)."""

import yaml

from curation.release.about import About
from curation.release.licence import SPDX
from curation.visible import on_one_line
from schemas.release import ReleaseFacts


def citation(facts: ReleaseFacts, about: About, date: str) -> str:
    """Return the text of CITATION.cff."""
    head = {
        "cff-version": "1.2.0",
        "message": "If you use this data set, please cite it as below.",
        "type": "dataset",
        "title": on_one_line(facts.title),
        "version": facts.version,
        "date-released": date,
        "authors": [{"name": one} for one in about.creators or ("not stated",)],
        "identifiers": [{"type": "other", "value": f"rows sha256 {facts.digest}"}],
        **({"license": SPDX[facts.license]} if facts.license in SPDX else {}),
        **({"url": about.url} if about.url else {}),
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)
