"""How much is kept: so many records, a share of them, or so many tokens; and what a record costs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from curation.spool import parts
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS, InstructionRecord

ESTIMATE = "estimate"
"""The counter that needs no tokenizer."""
PER_WORD, CHARACTERS = 4 / 3, 4
"""English prose has about four tokens to three words, and about four characters to a token: the larger is taken."""
BATCH = 1000
"""Texts tokenized at a time."""

_KEEP = re.compile(r"(?P<number>\d+(?:[_,]\d{3})*(?:\.\d+)?)(?P<scale>[kM]?)(?P<unit>%|tok|tokens|)")
_SCALES = {"": 1, "k": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent."""

    amount: float
    unit: Literal["records", "tokens", "%"]

    def records(self, of: int) -> int:
        """Return the most records that may be kept of so many; a share is rounded down, but not to none."""
        return max(1, int(of * self.amount / 100)) if self.unit == "%" else int(self.amount)


def parse_budget(text: str) -> Budget:
    """Return what `5000`, `10k`, `30%` or `500ktok` means.

    Raises:
        InputError: none of these, nothing, or more than all.
    """
    expected = "records (5000, 10k), a share (30%) or tokens (500ktok, 2Mtok)"
    match = _KEEP.fullmatch(text.strip())
    if match is None or (match["unit"] == "%" and match["scale"]):
        raise InputError(place="select", field="keep", expected=expected, found=text)
    amount = float(re.sub("[_,]", "", match["number"])) * _SCALES[match["scale"]]
    unit: Literal["records", "tokens", "%"] = "%" if match["unit"] == "%" else "tokens" if match["unit"] else "records"
    if not amount > 0 or (unit == "%" and amount > 100) or (unit == "records" and amount != int(amount)):  # noqa: PLR2004
        raise InputError(place="select", field="keep", expected=expected, found=text)
    return Budget(amount=amount, unit=unit)


def count_tokens(records: Iterable[InstructionRecord], counter: str) -> list[int]:
    """Return the tokens of each record's instruction, context and response together."""
    return count_texts(("\n".join(getattr(one, name) for name in TEXT_FIELDS) for one in records), counter)


def count_texts(texts: Iterable[str], counter: str) -> list[int]:
    """Return the tokens of each text: an estimate, or as the tokenizer of the model called `counter` splits it."""
    if counter == ESTIMATE:
        return [_estimated(text) for text in texts]
    tokenizer = _tokenizer(counter)
    return [
        len(ids) for part in parts(texts, BATCH) for ids in tokenizer(list(part), add_special_tokens=False)["input_ids"]
    ]


def _estimated(text: str) -> int:
    return round(max(PER_WORD * len(text.split()), len(text) / CHARACTERS))


def _tokenizer(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # transformers' own
    from transformers import AutoTokenizer  # noqa: PLC0415  # heavy

    from schemas.models import resolve  # noqa: PLC0415  # only here

    place = resolve(name)
    more = {"gguf_file": place.gguf_file} if place.gguf_file else {}
    try:
        return AutoTokenizer.from_pretrained(place.path, **more)
    except (OSError, ValueError) as error:
        found = str(error).splitlines()[0]
        raise InputError(place="select", field="tokens", expected="a model with a tokenizer", found=found) from error
