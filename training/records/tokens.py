"""Records are tokenized once: their tokens are kept on disk under what decides them.

    CACHE/tokens/KEY.safetensors     ids of all records in a row, the tokens of each, the tokens of each prompt

KEY is a hash over the tokenizer (its whole vocabulary and rules, keys included), the template, the records' ids, which
are hashes of their content, in order, and the code that does it. Another of any of these is another file. A file is
believed only if the digest in its header is that of its numbers, so a cut or changed one is tokenized again.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from schemas import prompt
from schemas.codec import sha256_of
from schemas.manifest import digest_file
from schemas.models import cache_folder
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from training.records import encoding
from training.records.encoding import CHUNK, IGNORED, Encoder, Example

CODE = (encoding, prompt)
"""Modules whose text decides tokens, too: a changed one reads no file of the one before."""
LIBRARIES = ("tokenizers", "transformers")
KEPT = 16
"""Files that are kept, the last used."""
ARRAYS = ("ids", "lengths", "prompts")


def tokenized(encoder: Encoder, records: Sequence[InstructionRecord], aside: Aside = SILENT) -> list[Example]:
    """Return the records as examples, in order: from the cache, else tokenized now and kept for the next time."""
    key = _key(encoder, records)
    file = cache_folder() / "tokens" / f"{key}.safetensors"
    if key and (found := _read(file, records)) is not None:
        return found
    examples = list(_watched(encoder, records, aside))
    if key:
        _keep(file, examples)
    return examples


def _key(encoder: Encoder, records: Sequence[InstructionRecord]) -> str:
    """Return the name of the cache's file; empty for a tokenizer that cannot be written down as one text."""
    backend = getattr(encoder.tokenizer, "backend_tokenizer", None)
    if backend is None:
        return ""
    ids = hashlib.sha256("\n".join(one.id for one in records).encode()).hexdigest()
    rules = hashlib.sha256(backend.to_str().encode()).hexdigest()
    agreed = [asdict(encoder.template), dict(encoder.key_ids), list(encoder.start), encoder.eos_id]
    code = [digest_file(Path(str(one.__file__))).sha256 for one in CODE]
    return sha256_of([code, [metadata.version(name) for name in LIBRARIES], rules, agreed, ids])


def _watched(encoder: Encoder, records: Sequence[InstructionRecord], aside: Aside) -> Iterator[Example]:
    for number, example in enumerate(encoder.examples(records), 1):
        if number % CHUNK == 0 or number == len(records):
            aside.progress("tokenizing", number, len(records))
        yield example


def _read(file: Path, records: Sequence[InstructionRecord]) -> list[Example] | None:
    try:
        with safe_open(file, framework="np") as opened:
            said = (opened.metadata() or {}).get("sha256", "")
            arrays = {name: opened.get_tensor(name) for name in ARRAYS}
        os.utime(file)
    except (OSError, SafetensorError):
        return None
    return list(_examples(arrays, records)) if said == _digest(arrays) else None


def _examples(arrays: dict[str, Any], records: Sequence[InstructionRecord]) -> Iterator[Example]:
    ids, prompts = arrays["ids"].tolist(), arrays["prompts"].tolist()
    borders = pairwise(accumulate(arrays["lengths"].tolist(), initial=0))
    for record, border, (first, last) in zip(records, prompts, borders, strict=True):
        tokens = tuple(ids[first:last])
        yield Example(record.id, tokens, (IGNORED,) * border + tokens[border:])


def _keep(file: Path, examples: Sequence[Example]) -> None:
    """Write a file and forget the oldest; a disk that is full or read-only costs the next run time, not this one."""
    arrays = {
        "ids": np.array([token for one in examples for token in one.input_ids], dtype=np.int32),
        "lengths": np.array([len(one.input_ids) for one in examples], dtype=np.int32),
        "prompts": np.array([one.labels.count(IGNORED) for one in examples], dtype=np.int32),
    }
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(arrays, draft, metadata={"sha256": _digest(arrays)})
        draft.replace(file)
        for old in sorted(file.parent.glob("*.safetensors"), key=lambda one: -one.stat().st_mtime)[KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, SafetensorError):
        if draft.is_file():
            draft.unlink()


def _digest(arrays: dict[str, Any]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in ARRAYS)).hexdigest()
