"""What a card is made of, and its head: the YAML that the Hub and `datasets` read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from curation.release.about import About
from curation.release.licence import hub_fields
from curation.release.markdown import short
from curation.release.rows import COLUMNS, DATA_FILE, MESSAGES_FILE, Written
from curation.report.numbers import Report
from curation.review.planning import Looked
from schemas.release import ReleaseFacts

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "1M<n<10M"
MESSAGES = {"list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card is made of."""

    release: ReleaseFacts
    about: About
    report: Report
    written: Written
    looked: Looked | None
    files: Mapping[str, int]
    """Name of each file that holds rows → its bytes."""


def card_head(facts: Facts) -> str:
    """Return the YAML. Splits and features are named, so nothing is guessed from files' names."""
    release = facts.release
    synthetic = bool(release.generators)
    head: dict[str, Any] = {
        **hub_fields(release.license),
        "pretty_name": short(release.title),
        "language": list(facts.about.languages),
        "size_categories": [next((name for limit, name in SIZES if release.rows < limit), LARGEST)],
        "task_categories": ["text-generation"],
        "tags": ["instruction-tuning", "mlcroissant", *(["synthetic"] if synthetic else [])],
        **({"annotations_creators": ["machine-generated"]} if synthetic else {}),
        "configs": [
            {"config_name": "default", "default": True, "data_files": [{"split": "train", "path": DATA_FILE}]},
            {"config_name": "messages", "data_files": [{"split": "train", "path": MESSAGES_FILE}]},
        ],
        "dataset_info": [
            _info(facts, "default", DATA_FILE, facts.written.memory_bytes),
            _info(facts, "messages", MESSAGES_FILE, facts.written.messages_memory_bytes),
        ],
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)


def _info(facts: Facts, name: str, file: str, memory: int) -> dict[str, Any]:
    rows = [{"name": column, **_feature(kind)} for column, (kind, _) in COLUMNS.items()]
    messages = [{"name": "id", "dtype": "string"}, {"name": "messages", **MESSAGES}]
    return {
        "config_name": name,
        "features": rows if name == "default" else messages,
        "splits": [{"name": "train", "num_bytes": memory, "num_examples": facts.release.rows}],
        "download_size": facts.files[file],
        "dataset_size": memory,
    }


def _feature(kind: str) -> dict[str, str]:
    return {"list": "string"} if kind == "list" else {"dtype": kind}
