"""Texts that are too short or too long to learn from. The unit is words: what white space separates."""

from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import evidence
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason


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


def _too_long(code: str, field: str, text: str, most: int) -> Reason | None:
    if len(text) < 2 * most or (words := len(text.split())) <= most:  # a word and its blank are two characters at least
        return None
    return Reason(code=code, field=field, found=f"{words:,} words", limit=f"at most {most:,} words")


def _is_written_without_blanks(text: str) -> bool:
    """Say whether the script has no blanks between words (Chinese, Japanese, Thai), so that nothing can be counted."""
    return not text.isascii() and any(
        "\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff" for letter in text
    )
