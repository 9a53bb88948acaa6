"""What the machinery left in the text: other tasks of the same answer, prompt templates, control tokens."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Repair

_NEXT_TASK = re.compile(r"(?:^|\n)\W{0,40}\d{1,3}\s*[.):]\s*instruction\s*:", re.IGNORECASE)
_NEXT_PAIR = re.compile(
    r"\S\s*\n[ \t#*]{0,8}instruction[ \t*]*:.{1,2000}?\n[ \t#*]{0,8}(?:output|response|answer)[ \t*]*:",
    re.IGNORECASE | re.DOTALL,
)
"""Another task and its answer, after this one's."""
_WANTED = re.compile(r"\b(?:instruction|task|prompt|example)s?\b", re.IGNORECASE)
"""Words of a request for such pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTasks:
    """A field runs on into the next tasks of the same generation: a numbered "Instruction:" stands within it.

    In a response also one without a number, after the answer and with an "Output:" of its own.
    Source: AlpacaDataCleaned, "merged instructions"; 37 rows of Alpaca.
    """

    code: ClassVar[str] = "merged_tasks"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first numbered task that does not belong here."""
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if ("nstruction" in text or "NSTRUCTION" in text) and (match := _NEXT_TASK.search(text)):
                return reason_for(self.code, field, text, match, "one task")
        said = record.response
        if "nstruction" in said and (match := _NEXT_PAIR.search(said)) and not _WANTED.search(record.instruction):
            return reason_for(self.code, "response", said, match, "one task")
        return None


TOKENS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|begin_of_text|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "[INST]", "[/INST]", "<<SYS>>",
    "<start_of_turn>", "<end_of_turn>", "<think>", "</think>", "<|eom_id|>", "<|python_tag|>", "<|tool_call|>",
    "<tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|pad|>", "<|channel|>", "<|message|>",
    "<|return|>", "<|start|>", "<|assistant_end|>", "<|user_end|>", "<unk>", "[PAD]", "[UNK]", "[CLS]", "[SEP]",
    "[AVAILABLE_TOOLS]", "[TOOL_CALLS]", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<\uff5cAssistant\uff5c>",
    "<\uff5cUser\uff5c>",
)  # fmt: skip
"""Control tokens of chat models, as they look when they are written out as text."""

HEADINGS = (
    "### Instruction:",
    "### Response:",
    "### Input:",
    "### End\n",
    "Below is an instruction that describes a task",
)
"""Lines of the Alpaca and Dolly prompts."""

PROMPTS = ("You are asked to come up with a set of",)
"""Lines of the prompts that such data is generated with."""

_END_MARK = re.compile(
    r"\s*(?:</s>|<\|im_end\|>|<\|endoftext\|>|<\|eot_id\|>|<\|end\|>|<end_of_turn>|#{2,3} ?End|\n#{2,3}|"
    r"// ?end of (?:the )?output\.? ?//|// ?EOM ?//)\s*\Z",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"<s[ >]", re.IGNORECASE)
"""HTML's mark of a text that is struck out, which "</s>" ends."""
_LAST_CHARACTERS = (">", "#", "/", "end", "End", "END")
LONGEST_MARK = 40
"""Characters at the end in which a mark and the white space around it stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMarker:
    """The response ends with the generator's own end mark: "// end of output //", "<|im_end|>", "### End".

    Source: fourteen rows of Alpaca; special-token rules for chat models.
    """

    code: ClassVar[str] = "end_marker"
    action: ClassVar[str] = "repair"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return the repair that cuts the marks off; none where they are all there is."""
        text = record.response.rstrip()
        if not text.endswith(_LAST_CHARACTERS):
            return None
        strikes = _STRUCK.search(text) is not None
        while match := _END_MARK.search(text[-LONGEST_MARK:]):
            if strikes and match.group().strip().lower() == "</s>":
                break
            text = text[: max(len(text) - LONGEST_MARK, 0) + match.start()].rstrip()
        if not text or len(text) == len(record.response.rstrip()):
            return None
        return Repair(code=self.code, field="response", old=record.response, new=text)


_LEAK = re.compile(
    r"(?<![`'\"\u201c\u2018])(?:"
    + "|".join(re.escape(text) for text in (*TOKENS, *HEADINGS, *PROMPTS))
    + r")|### End\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLeak:
    """A prompt template or a control token stands in a field: "### Response:", "<|im_end|>", "[INST]".

    Quoted ones pass: a question may be about them. Source: NeMo Curator's and cleanllm's special-token rules.
    """

    code: ClassVar[str] = "template_leak"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first leak."""
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if _may_leak(text) and (match := _LEAK.search(text)):
                return reason_for(self.code, field, text, match, "text that belongs to the task")
        return None


def _may_leak(text: str) -> bool:
    return "<" in text or "###" in text or "[" in text or "Below is" in text or "You are asked" in text
