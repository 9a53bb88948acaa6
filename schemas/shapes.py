"""The JSON Schemas of what we write, for programs in other languages.

`python -m schemas.shapes` writes them to schemas/json/; a test compares.
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.codec import adapter
from schemas.manifest import Manifest
from schemas.outcome import Rejection
from schemas.record import InstructionRecord

SHAPES: dict[str, Any] = {"record": InstructionRecord, "rejection": Rejection, "manifest": Manifest}
"""File name → the shape of one line of records.jsonl, one line of rejected.jsonl, and manifest.json."""

FOLDER = Path(__file__).parent / "json"


def json_schema(name: str) -> str:
    """Return the JSON Schema of one shape as it stands in its file."""
    schema = adapter(SHAPES[name]).json_schema()
    if name == "record":
        schema["properties"] = {
            "id": {"title": "Id", "type": "string", "pattern": "^[0-9a-f]{16}$"},
            **schema["properties"],
        }
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for name in SHAPES:
        (FOLDER / f"{name}.schema.json").write_text(json_schema(name), encoding="utf-8")
        sys.stdout.write(f"wrote {name}.schema.json\n")


if __name__ == "__main__":
    main()
