"""The JSON Schemas that other programs read."""

import json

import pytest

from schemas.codec import write_record
from schemas.shapes import FOLDER, SHAPES, json_schema
from tests.support import pair


@pytest.mark.parametrize("name", SHAPES)
def test_the_schema_files_are_those_of_the_shapes(name: str) -> None:
    """`python -m schemas.shapes` writes them anew."""
    assert (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8") == json_schema(name)


def test_a_written_record_has_only_fields_that_the_schema_names() -> None:
    """The file and its schema speak of the same fields."""
    row = json.loads(write_record(pair()))

    assert set(row) <= set(json.loads(json_schema("record"))["properties"])
