"""Texts that are too short or too long to learn from. The unit is words: what white space separates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from curation.filters.findings import evidence
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

HEAD = 400
"""Characters of a response that show its script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionTooShort:
    """The instruction says too little to be a task.

    A context counts: "Summarize" with an article is a task. Source: Self-Instruct drops three words or fewer, which
    also drops "What is Rust?"; so the default is lower.
    """

    code: ClassVar[str] = "instruction_too_short"
    action: ClassVar[str] = "reject"
    min_words: int = 2
    """Fewest words of an instruction without a context."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the number of words."""
        text = record.instruction
        words = len(text.split(maxsplit=self.min_words))
        if words >= self.min_words or (words and record.context.strip()) or _is_written_without_blanks(text):
            return None
        return Reason(
            code=self.code,
            field="instruction",
            found=f"{words} words: {evidence(text)}",
            limit=f"at least {self.min_words} words",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionTooLong:
    """The instruction is so long that it holds more than a task: a document, or a generation that never ended.

    Source: Self-Instruct drops more than 150 words; people write up to 266 in databricks-dolly-15k, so the default is
    higher. What the task is about belongs in the context, which has no limit here.
    """

    code: ClassVar[str] = "instruction_too_long"
    action: ClassVar[str] = "reject"
    max_words: int = 500
    """Most words of an instruction."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the number of words."""
        return _too_long(self.code, "instruction", record.instruction, self.max_words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTooLong:
    """The response is longer than a model of this kind is trained on, or never ended.

    Source: NeMo Curator's length limits, made generous: people's longest answer in a tenth of databricks-dolly-15k has
    1,451 words.
    """

    code: ClassVar[str] = "response_too_long"
    action: ClassVar[str] = "reject"
    max_words: int = 3000
    """Most words of a response."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the number of words."""
        return _too_long(self.code, "response", record.response, self.max_words)


_FEWEST = {"brainstorming": 3, "creative_writing": 10, "summarization": 5}
_MOST = {
    "brainstorming": 700, "classification": 450, "closed_qa": 700, "general_qa": 700, "information_extraction": 900,
    "open_qa": 1000, "summarization": 1000,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLengthUnusual:
    """The response is shorter or longer than people make it for a task of its category.

    Source: 1,501 rows of databricks-dolly-15k, none of which is outside.
    """

    code: ClassVar[str] = "response_length_unusual"
    action: ClassVar[str] = "flag"
    min_words: Mapping[str, int] = field(default_factory=lambda: dict(_FEWEST))
    """Category -> fewest words of a response."""
    max_words: Mapping[str, int] = field(default_factory=lambda: dict(_MOST))
    """Category -> most words of a response."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the number of words; nothing for a category that has no limits."""
        least, most = self.min_words.get(record.category), self.max_words.get(record.category)
        if (least is None and most is None) or _is_written_without_blanks(record.response[:HEAD]):
            return None
        words = len(record.response.split())
        if (least or 0) <= words and (most is None or words <= most):
            return None
        limit = f"{record.category}: {least or 0:,} to {'any number of' if most is None else f'{most:,}'} words"
        return Reason(code=self.code, field="response", found=f"{words:,} words", limit=limit)


def _too_long(code: str, field: str, text: str, most: int) -> Reason | None:
    if len(text) < 2 * most or (words := len(text.split())) <= most:  # a word and its blank are two characters at least
        return None
    return Reason(code=code, field=field, found=f"{words:,} words", limit=f"at most {most:,} words")


def _is_written_without_blanks(text: str) -> bool:
    """Say whether the script has no blanks between words (Chinese, Japanese, Thai), so that nothing can be counted."""
    return not text.isascii() and any(
        "\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff" for letter in text
    )
