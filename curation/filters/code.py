"""Code whose language is known and which that language's own parser refuses. Nothing is ever run."""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import Span, reason_at
from schemas.outcome import Finding
from schemas.record import InstructionRecord

LONGEST = 20_000
"""Characters of the longest piece of code that is parsed."""

_FENCE = re.compile(
    r"^```[ \t]*(?P<language>python3?|py|json)[ \t]*\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_PYTHON_2 = re.compile(
    r"^\s*(?:print\s+[^(\s=]|exec\s+[\"']|raise \w+,|except \w+, \w+:)|`[^`\n]+`|<>|\b0\d+\b|\bur?\"", re.MULTILINE
)
_SHELL = re.compile(r"^\s*(?:>>>|In \[|[!%$]|pip install|\.\.\.\s|C:\\)", re.MULTILINE)
_HOLE = re.compile(r"\u2026|<[A-Za-z_ ]{2,40}>|\[(?:your|insert|code)\b|_{3,}|\.\.\.|\bTODO\b")
"""A place for the reader to fill in."""
_CURLY = re.compile(r"[\u201c\u201d\u2018\u2019]")
_STARTS = re.compile(
    r"\s*(?:(?:def|class) \w+ ?[(:]|import \w[\w., ]*$|from [\w.]+ import |#|@\w|(?:for|while|if|with|try)\b.*:[ \t]*$|"
    r"print ?\(|[a-z_]\w* = \S)",
    re.MULTILINE,
)
"""How a response begins that is Python and nothing else."""
_PROSE = re.compile(r"^[A-Z][a-z]+(?: [a-z]+){3,}|^\d+\. |^- |^[A-Z][a-z]+:", re.MULTILINE)
_PROSE_AFTER = re.compile(r"[ \t]*\n[ \t]*\n\s*[A-Z][a-z]*[ ,][^{}\[\]]*")
"""A paragraph after a JSON value: it begins with a word, and has no brackets of JSON."""
_SAYS_PYTHON = re.compile(r"\bpython\b(?! ?2)", re.IGNORECASE)
_SAYS_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_ABOUT_ERRORS = re.compile(
    r"\b(?:error|bug|debug|wrong|incorrect|invalid|syntax|pseudo-?code|fix|broken|template|schema|skeleton)\w*\b",
    re.IGNORECASE,
)
"""Tasks whose answer may hold code that is not right on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDoesNotParse:
    """The response holds Python or JSON that cannot be parsed.

    A fenced block that names its language, or a whole response that is code where the task names it. Python 2, prompts
    of a shell and snippets with places to fill in pass. Source: Curator's and OpenCodeInstruct's syntax checks.
    """

    code: ClassVar[str] = "code_does_not_parse"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the code, with what the parser says."""
        for language, span in _pieces(record):
            code = record.response[slice(*span)]
            if len(code) <= LONGEST and (problem := PARSERS[language](code)):
                return reason_at(self.code, "response", record.response, span, f"{language}: {problem}")
        return None


def _pieces(record: InstructionRecord) -> Iterator[tuple[str, Span]]:
    """Yield the language and place of each piece of code whose language is certain."""
    response, instruction = record.response, record.instruction
    if "```" in response:
        if not _ABOUT_ERRORS.search(instruction):
            for match in _FENCE.finditer(response):
                yield "json" if match["language"].lower() == "json" else "python", match.span("code")
        return
    if _may_be_code(response, instruction) and not _ABOUT_ERRORS.search(instruction):
        whole = (0, len(response))
        if response.lstrip()[:1] in ("{", "[") and '"' in response and _SAYS_JSON.search(instruction):
            yield "json", whole
        elif _SAYS_PYTHON.search(instruction) and _STARTS.match(response) and not _PROSE.search(response):
            yield "python", whole


def _may_be_code(response: str, instruction: str) -> bool:
    return (
        "ython" in instruction or "PYTHON" in instruction or "JSON" in instruction or "json" in instruction
    ) and any(sign in response for sign in "=(:{[")


def python_problem(code: str) -> str:
    """Return what Python's parser says against the code; '' where it says nothing, or is not the one to ask."""
    if _PYTHON_2.search(code) or _SHELL.search(code) or _HOLE.search(code):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape such as "\d" is its author's business
            ast.parse(textwrap.dedent(code).strip())
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (ValueError, RecursionError, MemoryError):  # nothing that can be said of the code
        return ""
    return ""


def json_problem(code: str) -> str:
    """Return what a JSON parser says against the code: one value, or one on each line."""
    if _HOLE.search(code) or "//" in code or not code.strip():
        return ""
    try:
        json.loads(code)
    except RecursionError:
        return ""
    except ValueError as error:
        return "" if _is_json_lines(code) or _is_before_prose(code) else str(error).partition(" (char")[0]
    return ""


def _is_json_lines(code: str) -> bool:
    try:
        return all(isinstance(json.loads(line), dict | list) for line in code.splitlines() if line.strip())
    except (ValueError, RecursionError):
        return False


def _is_before_prose(code: str) -> bool:
    """Say whether it is one value, a blank line, and then prose alone."""
    try:
        _, end = json.JSONDecoder().raw_decode(code.lstrip())
    except (ValueError, RecursionError):
        return False
    return _PROSE_AFTER.fullmatch(code.lstrip(), end) is not None


PARSERS: Mapping[str, Callable[[str], str]] = {"python": python_problem, "json": json_problem}
"""Language → what its parser says against a piece of code."""
