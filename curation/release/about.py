"""What only people know of a data set: why it was made, who keeps it. Read from one YAML file; the rest is computed."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from schemas.codec import read_config
from schemas.errors import InputError

PLACEHOLDER = re.compile(
    r"\[(more information needed|legal|insert[^\]]*|your [^\]]*)\]|<(your|insert)[^>]*>"
    r"|\b(todo|fixme|tbd|tba|xxx+|lorem ipsum)\b",
    re.IGNORECASE,
)
"""What people leave behind where something was to be filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Free text for the card, under the seven headings of Datasheets for Datasets (Gebru et al., 2018)."""

    motivation: str = ""
    """Why the data set was made, by whom, who paid."""
    composition: str = ""
    """What the records are, beyond what the card counts."""
    collection: str = ""
    """How the seeds or sources were obtained."""
    processing: str = ""
    """What was done to the records before this tool saw them."""
    uses: str = ""
    """What it is good for, and what it must not be used for."""
    distribution: str = ""
    """Who gets it, and how."""
    maintenance: str = ""
    """Who keeps it and answers questions."""
    personal: str = ""
    """What is known of personal or sensitive information in it."""
    biases: str = ""
    """Known biases."""
    limits: str = ""
    """Known limits."""
    creators: tuple[str, ...] = ()
    """Names of people or organisations."""
    languages: tuple[str, ...] = ("en",)
    """BCP 47 tags of the records' languages."""
    url: str = ""
    """Where the data set is at home."""
    citation: str = ""
    """How to cite it."""


def read_about(path: Path | None) -> About:
    """Read the file; nothing from nothing.

    Raises:
        InputError: not YAML, an unknown field, or a placeholder that nobody filled in.
    """
    if path is None:
        return About()
    if not path.is_file():
        raise InputError(place=path, expected="a YAML file", found="nothing")
    try:
        row: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(place=path, expected="YAML", found=str(error).splitlines()[0]) from error
    if not isinstance(row, dict):
        names = ", ".join(one.name for one in fields(About))
        raise InputError(place=path, expected=f"some of the fields {names}", found=type(row).__name__)
    about: About = read_config(About, row, str(path))
    for one in fields(About):
        value = getattr(about, one.name)
        refuse_placeholders(value if isinstance(value, str) else "\n".join(value), path, one.name)
    return about


def refuse_placeholders(text: str, place: object, field: str) -> None:
    """Refuse text in which something was to be filled in.

    Raises:
        InputError: names what was found.
    """
    if found := PLACEHOLDER.search(text):
        raise InputError(place=place, field=field, expected="text that is finished", found=repr(found[0]))
