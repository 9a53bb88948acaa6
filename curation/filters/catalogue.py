"""Every check, by the reason code it gives."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, Protocol, get_args

from curation.filters.actions import NeedsAction
from curation.filters.arithmetic import AnswerMiscalculated, EquationWrong
from curation.filters.characters import BrokenCharacters, MostlySigns
from curation.filters.code import CodeDoesNotParse
from curation.filters.endings import ResponseTruncated, ResponseUnfinished
from curation.filters.language import WrongLanguage
from curation.filters.leaks import EndMarker, MergedTasks, TemplateLeak
from curation.filters.length import InstructionTooLong, InstructionTooShort, ResponseLengthUnusual, ResponseTooLong
from curation.filters.media import NeedsMedia
from curation.filters.mojibake import Mojibake
from curation.filters.parts import (
    NoInputMarker,
    ResponseCopiesContext,
    ResponseEchoes,
    ResponseEmpty,
    ResponsePlaceholder,
)
from curation.filters.personal import PersonalData
from curation.filters.references import DanglingReference, UrlNotGiven
from curation.filters.refusal import ProviderIdentity, ResponseIsRefusal
from curation.filters.repetition import ResponseRepeats
from curation.filters.secrets import SecretLeaked
from curation.filters.toxicity import ToxicWords
from schemas.codec import as_config, read_config
from schemas.errors import InputError
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Row

Action = Literal["reject", "flag", "repair", "off"]
"""What follows from a finding; `off`: the check does not run."""


class NamedCheck(Protocol):
    """A check that says which code it gives and what follows from it by default."""

    code: ClassVar[str]
    action: ClassVar[str]

    def __call__(self, record: InstructionRecord, /) -> Finding:
        """Return nothing, a reason, or a repair."""


CHECKS: Mapping[str, type[NamedCheck]] = {
    "no_input_marker": NoInputMarker,
    "end_marker": EndMarker,
    "mojibake": Mojibake,
    "response_empty": ResponseEmpty,
    "response_placeholder": ResponsePlaceholder,
    "response_echoes": ResponseEchoes,
    "response_copies_context": ResponseCopiesContext,
    "merged_tasks": MergedTasks,
    "template_leak": TemplateLeak,
    "response_is_refusal": ResponseIsRefusal,
    "provider_identity": ProviderIdentity,
    "needs_media": NeedsMedia,
    "needs_action": NeedsAction,
    "url_not_given": UrlNotGiven,
    "dangling_reference": DanglingReference,
    "response_truncated": ResponseTruncated,
    "response_unfinished": ResponseUnfinished,
    "response_repeats": ResponseRepeats,
    "instruction_too_short": InstructionTooShort,
    "instruction_too_long": InstructionTooLong,
    "response_too_long": ResponseTooLong,
    "response_length_unusual": ResponseLengthUnusual,
    "broken_characters": BrokenCharacters,
    "mostly_signs": MostlySigns,
    "equation_wrong": EquationWrong,
    "answer_miscalculated": AnswerMiscalculated,
    "code_does_not_parse": CodeDoesNotParse,
    "secret_leaked": SecretLeaked,
    "personal_data": PersonalData,
    "toxic_words": ToxicWords,
    "wrong_language": WrongLanguage,
}
"""Reason code → check. Repairs come first, in this order; the other checks see the repaired record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCheck:
    """A check with its thresholds, and what follows from its finding."""

    check: NamedCheck
    action: Action

    @property
    def code(self) -> str:
        """The check's reason code."""
        return self.check.code

    def settings(self) -> dict[str, Any]:
        """Return the action and the thresholds as plain data; for one that is off, only that."""
        return {"action": self.action, **({} if self.action == "off" else as_config(self.check))}


def choose(code: str, settings: Row, place: str = "checks") -> ChosenCheck:
    """Make the check of this code from its defaults and the settings that somebody wrote.

    Raises:
        InputError: no such check, no such setting, a wrong value, or an action that the check cannot take.
    """
    if code not in CHECKS:
        raise InputError(place=place, field=code, expected=f"one of {', '.join(CHECKS)}", found="an unknown check")
    where = f"{place}.{code}"
    shape = CHECKS[code]
    action = _action(shape, settings.get("action", shape.action), where)
    thresholds = {name: value for name, value in settings.items() if name != "action"}
    return ChosenCheck(check=read_config(shape, thresholds, where), action=action)


def _action(shape: type[NamedCheck], action: Any, place: str) -> Action:
    known = [name for name in get_args(Action) if name != "repair" or shape.action == "repair"]
    action = "off" if action is False else action  # as YAML reads an `off` without quotation marks
    if action not in known:
        raise InputError(place=place, field="action", expected=f"one of {', '.join(known)}", found=repr(action))
    chosen: Action = action
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One setting of a check, with its default."""

    name: str
    default: Any
    meaning: str
    """What it limits, and its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCard:
    """What there is to know of a check before it is used."""

    code: str
    action: str
    words: str
    """What is wrong with a record that it finds."""
    thresholds: tuple[Threshold, ...]


def check_cards() -> tuple[CheckCard, ...]:
    """Describe every check, in the catalogue's order."""
    return tuple(
        CheckCard(code=code, action=shape.action, words=plain_words(code), thresholds=_thresholds(shape))
        for code, shape in CHECKS.items()
    )


def plain_words(code: str) -> str:
    """Return what a check's finding means, as the first line of its docstring says it."""
    return (inspect.getdoc(CHECKS[code]) or "").partition("\n")[0]


def _thresholds(shape: type[NamedCheck]) -> tuple[Threshold, ...]:
    meanings = _meanings(shape)
    return tuple(
        Threshold(name=name, default=default, meaning=meanings.get(name, ""))
        for name, default in as_config(shape()).items()
    )


def _meanings(shape: type[NamedCheck]) -> dict[str, str]:
    """Return the line under each field, from the source of the class; nothing where there is no source."""
    try:
        body = ast.parse(inspect.getsource(shape)).body[0]
    except OSError:
        return {}
    assert isinstance(body, ast.ClassDef)
    return {
        line.target.id: str(after.value.value)
        for line, after in pairwise(body.body)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
