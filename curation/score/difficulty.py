"""Instruction-following difficulty: how much of a response's surprise its prompt takes away.

Two ratios bear the name IFD. Both compare the mean loss of the response's tokens after the prompt with that of the same
tokens standing alone:

    ifd_loss_ratio        loss given prompt / loss alone               (Cherry LLM: Li et al. 2023, equation 4)
    ifd_perplexity_ratio  exp(loss given prompt - loss alone)          (Superfiltering: Li et al. 2024)

Near 1 the prompt helps little: hard, or unrelated. Above 1 it misleads: `select` leaves such records out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from curation.embedding.sentence import has_bf16
from curation.engine import HERE, Engine, chunked
from curation.score.cache import Measured, key_of, open_cache
from curation.score.file import Score
from curation.score.parts import PART, Measure, Part, device, measured, threads_of
from curation.score.reading import Read, Reader, reader
from curation.score.reasons import EMPTY, NO_LOSS, NOT_FINITE, TOO_LONG
from schemas.codec import sha256_of
from schemas.errors import InputError
from schemas.losses import Told
from schemas.outcome import Aside
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from schemas.weights import Base, context_tokens, digest_base, find_base, load_tokenizer

Precision: TypeAlias = Literal["auto", "bf16", "fp32"]
"""How the model multiplies; auto: in bf16 where the processor does so natively."""

VERSION = 1
"""Raised when the same settings give other losses."""
BATCH_TOKENS = {"cpu": 1024}
"""Padded tokens of a batch by kind of device; a processor multiplies more no faster, and they hold more padding."""
ACCELERATOR_TOKENS = 16384
"""The same for any other device."""
DIGITS = 6
"""Decimals that are kept; what is beyond depends on which records share a batch."""

RATIOS = ("ifd_loss_ratio", "ifd_perplexity_ratio")
NAMES = (*RATIOS, "ifd_loss_given_prompt", "ifd_loss_alone", "ifd_prompt_tokens", "ifd_response_tokens")
"""The scores that every record gets, as numbers or as nulls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """Measures records by a causal language model."""

    model: str
    """An alias, a path or a Hub id."""
    template: str
    """A name in `TEMPLATES`."""
    precision: Precision
    folder: Path | None
    """Where losses are kept; None: nowhere."""
    batch_tokens: int = 0
    """Padded tokens of a batch; 0: what suits the device."""
    engine: Engine = HERE
    """Where the model computes; it changes no score."""

    def __post_init__(self) -> None:
        """Refuse a template that there is not.

        Raises:
            InputError: no such template.
        """
        if self.template not in TEMPLATES:
            raise InputError(
                place="score", field="template", expected=f"one of {', '.join(TEMPLATES)}", found=self.template
            )

    @property
    def dtype(self) -> str:
        """The precision that this machine computes in: `bf16` or `fp32`."""
        return ("bf16" if _native_bf16() else "fp32") if self.precision == "auto" else self.precision

    def scores(self, records: Sequence[InstructionRecord], aside: Aside) -> list[Mapping[str, Score]]:
        """Return each record's scores; leaves in `scorers` what they were computed by."""
        base = find_base(self.model, aside)
        tokenizer, digest = load_tokenizer(base), digest_base(base).sha256
        texts = reader(tokenizer, TEMPLATES[self.template])
        start = tokenizer.convert_ids_to_tokens(texts.alone)
        told = {"model": self.model, "digest": digest, "template": self.template, "precision": self.dtype}
        aside.leave("scorers", {"scorer": "ifd", **told, "response_alone_follows": start})
        found = self._measured(records, base, texts, digest, aside)
        return [scores_of(found[key_of(record)]) for record in records]

    def _measured(
        self, records: Sequence[InstructionRecord], base: Base, texts: Reader, digest: str, aside: Aside
    ) -> dict[bytes, Measured | str]:
        """Return what is known or found of each record, or the reason why it cannot be."""
        known: dict[bytes, Measured | str] = {}
        template = TEMPLATES[self.template]
        identity = [VERSION, digest, template.with_context, template.without_context, texts.alone, self.dtype]
        with open_cache(self.folder, sha256_of(identity)[:24]) as cache:
            known |= cache.find(records)
            new = {key_of(record): record for record in records if key_of(record) not in known}
            read = dict(zip(new, texts.read(list(new.values())), strict=True))
            longest = context_tokens(base)
            for key, one in read.items():
                if code := _unmeasurable(one, longest):
                    known[key] = code
            left = sorted((key for key in read if key not in known), key=lambda key: _size(read[key]), reverse=True)
            if not left:
                return known
            parts = [_part(some, read, new) for some in chunked(left, PART)]
            found = measured(self._work(digest, texts), parts, self.engine, _told(aside, len(left)))
            for some, losses in zip(chunked(left, PART), found, strict=True):
                fresh = dict(zip(some, losses, strict=True))
                cache.keep(fresh)
                known |= fresh
        return known

    def _work(self, digest: str, texts: Reader) -> Measure:
        here = device().type
        return Measure(
            model=_anywhere(self.model),
            digest=digest,
            dtype=self.dtype,
            device=here,
            alone=texts.alone,
            batch_tokens=self.batch_tokens or BATCH_TOKENS.get(here, ACCELERATOR_TOKENS),
            threads=threads_of(self.engine),
        )


def scores_of(found: Measured | str) -> Mapping[str, Score]:
    """Return the scores that a measurement comes to; a reason makes all of them null."""
    if isinstance(found, str):
        return dict.fromkeys(NAMES, Score(reason=found))
    given, alone = found.given, found.alone
    if not (math.isfinite(given) and math.isfinite(alone)):
        return dict.fromkeys(NAMES, Score(reason=NOT_FINITE))
    values = (given, alone, found.prompt, found.response)
    plain = {name: Score(value=round(value, DIGITS)) for name, value in zip(NAMES[2:], values, strict=True)}
    return {**dict(zip(RATIOS, _ratios(given, alone), strict=True)), **plain}


def _ratios(given: float, alone: float) -> tuple[Score, Score]:
    loss = Score(value=round(given / alone, DIGITS)) if alone else Score(reason=NO_LOSS)
    try:
        return loss, Score(value=round(math.exp(given - alone), DIGITS))
    except OverflowError:
        return loss, Score(reason=NOT_FINITE)


def _unmeasurable(one: Read, longest: int | None) -> str:
    if not one.response:
        return EMPTY
    return TOO_LONG if longest is not None and _size(one) > longest else ""


def _size(one: Read) -> int:
    return len(one.prompt) + len(one.response)


def _anywhere(model: str) -> str:
    """Return what a model is called by processes that run in another folder."""
    path = Path(model).expanduser()
    return str(path.resolve()) if path.exists() else model


def _part(keys: Sequence[bytes], read: Mapping[bytes, Read], records: Mapping[bytes, InstructionRecord]) -> Part:
    return Part([read[key] for key in keys], [records[key].context == "" for key in keys])


def _told(aside: Aside, total: int) -> Told:
    """Return what tells progress: every record is measured twice."""
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        aside.progress("measure difficulty", done // 2, total)

    return tell


def _native_bf16() -> bool:
    import torch  # noqa: PLC0415  # heavy

    kind = device().type
    return has_bf16() if kind == "cpu" else kind != "cuda" or torch.cuda.is_bf16_supported()
