"""What a person may find wrong with a record.

The codes follow the ten classes of defects of AlpacaDataCleaned, and the rules Dolly's writers were given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["critical", "major", "minor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that can be wrong."""

    key: str
    """The key that names it after `x`."""
    words: str
    """What is wrong, for the button."""
    severity: Severity
    """critical: harms whoever trains on it; major: teaches something wrong; minor: a blemish."""


DEFECTS: Mapping[str, Defect] = {
    "wrong_answer": Defect(key="1", words="The answer is wrong", severity="major"),
    "not_a_task": Defect(key="2", words="Not a task", severity="major"),
    "unclear": Defect(key="3", words="The task is unclear", severity="major"),
    "needs_missing_input": Defect(key="4", words="Needs input that is missing", severity="major"),
    "invented_source": Defect(key="5", words="Invented source or fact", severity="major"),
    "empty_or_stub": Defect(key="6", words="Empty, or only a stub", severity="major"),
    "merged_records": Defect(key="7", words="Several records in one", severity="major"),
    "format_artifact": Defect(key="8", words="Traces of a format or prompt", severity="major"),
    "duplicate": Defect(key="9", words="Says the same as another", severity="minor"),
    "impossible_for_text": Defect(key="0", words="No text model can do it", severity="major"),
    "unsafe": Defect(key="t", words="Unsafe or toxic", severity="critical"),
    "personal_data": Defect(key="p", words="Personal data", severity="critical"),
    "licence": Defect(key="l", words="Not ours to use", severity="critical"),
    "wrong_category": Defect(key="c", words="Wrong category", severity="minor"),
    "wrong_language": Defect(key="w", words="Wrong language", severity="minor"),
    "contradicted": Defect(key="r", words="Another answer to it is right", severity="major"),
    "other": Defect(key="o", words="Something else", severity="major"),
}
"""Code → defect, commonest first."""

GUIDELINES = (
    "Is the instruction a task that a text model can be asked to do?",
    "Does the context fit the instruction: there where it is needed, and only then?",
    "Is the response correct and acceptable as an answer to it?",
)
"""The three questions of Self-Instruct's own human study (its table 2), so that results can be held against it."""


def severity_of(reasons: tuple[str, ...]) -> str:
    """Return the worst severity among reasons; empty where there is none."""
    order = ("critical", "major", "minor")
    found = {DEFECTS[code].severity for code in reasons}
    return next((one for one in order if one in found), "")
