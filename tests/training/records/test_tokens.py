"""Records are tokenized once; whatever decides their tokens decides which file is read, and no damage is believed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from tests.support import pair
from tests.training.records.test_encoding import tuned_encoder, written
from training.records import tokens as module
from training.records.encoding import Encoder, Example, encoder
from training.records.tokens import KEPT, tokenized

RECORDS = [pair(f"Name colour {at}.", "Red. " * (at + 1)) for at in range(5)]
ENCODE = tuned_encoder("dolly-v1")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    return tmp_path / "tokens"


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records were tokenized, call by call."""
    counts: list[int] = []
    real = Encoder.examples

    def counting(self: Encoder, records: Sequence[InstructionRecord]) -> Iterator[Example]:
        counts.append(len(records))
        return real(self, records)

    monkeypatch.setattr(Encoder, "examples", counting)
    return counts


def test_the_second_time_nothing_is_tokenized(worked: list[int]) -> None:
    """And the examples are the same."""
    first = tokenized(ENCODE, RECORDS)

    assert tokenized(ENCODE, RECORDS) == first
    assert worked == [5]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(written, max_size=4))
def test_what_is_read_is_what_was_tokenized(records: list[InstructionRecord]) -> None:
    """Whatever the records hold."""
    tokenized(ENCODE, records)

    assert tokenized(ENCODE, records) == list(ENCODE.examples(records))


def changed_rules() -> Encoder:
    """Return an encoder with one more token."""
    other = tuned_encoder("dolly-v1")
    other.tokenizer.add_tokens(["colour"])
    return other


OTHERS: dict[str, tuple[Any, Any]] = {
    "another record": (ENCODE, [*RECORDS[:-1], pair("Other.", "One.")]),
    "another order": (ENCODE, RECORDS[::-1]),
    "fewer records": (ENCODE, RECORDS[:-1]),
    "another template": (replace(ENCODE, template=TEMPLATES["dolly-v2"]), RECORDS),
    "another vocabulary": (changed_rules(), RECORDS),
    "no keys": (encoder(tuned_encoder("alpaca").tokenizer, TEMPLATES["dolly-v1"]), RECORDS),
    "a first token": (tuned_encoder("dolly-v1", bos=True), RECORDS),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_decides_the_tokens_is_told_apart(name: str, worked: list[int]) -> None:
    """Each of these is tokenized anew, and right."""
    tokenized(ENCODE, RECORDS)
    other, records = OTHERS[name]

    found = tokenized(other, records)

    assert worked == [5, len(records)]
    assert found == list(other.examples(records))


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "other"])
def test_a_damaged_file_is_not_believed(cache: Path, damage: str, worked: list[int]) -> None:
    """It is tokenized again, and the file is whole after that."""
    wanted = tokenized(ENCODE, RECORDS)
    (file,) = cache.iterdir()
    held = file.read_bytes()
    last = bytes([held[-1] ^ 1])
    file.write_bytes({"cut": held[:-9], "changed": held[:-1] + last, "emptied": b"", "other": b"{}" * 99}[damage])

    assert tokenized(ENCODE, RECORDS) == wanted
    assert tokenized(ENCODE, RECORDS) == wanted
    assert worked == [5, 5]


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(cache: Path) -> None:
    """A file stands where its folder would be."""
    cache.write_text("in the way")

    assert tokenized(ENCODE, RECORDS) == list(ENCODE.examples(RECORDS))


def test_the_cache_does_not_grow_for_ever(cache: Path) -> None:
    """The files that were used last are kept."""
    for at in range(KEPT + 3):
        tokenized(ENCODE, [pair(str(at), "One.")])

    assert len(list(cache.iterdir())) == KEPT
