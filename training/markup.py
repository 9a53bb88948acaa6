"""What every page of a run or a comparison is made with; what models and users wrote is only ever text."""

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from schemas.errors import DollyError

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Unicode categories that draw nothing or reorder what is drawn."""


def write_files(files: dict[Path, bytes]) -> None:
    """Write each file, in order.

    Raises:
        DollyError: one cannot be written.
    """
    for path, data in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise DollyError(f"{path}: {error.strerror or error}") from error


@cache
def template(name: str, **helpers: Callable[..., Any]) -> Template:
    """Return a template of this package that may call `helpers`.

    What it is filled with is escaped, and a missing value is an error.
    """
    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "percent": percent, "has_start": has_start}
    environment.globals |= helpers
    return environment.get_template(name)


def visible(text: str) -> str:
    """Return `text` with each character that draws nothing as its code point; line breaks and tabs stay."""
    return "".join(char if char in "\n\t" or _drawn(char) else f"⟨U+{ord(char):04X}⟩" for char in text)


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{share:.0%}"


def has_start(text: str, title: str) -> bool:
    """Say whether a title is nothing but how the text begins."""
    return text.startswith(title.removesuffix("…"))


def _drawn(char: str) -> bool:
    return unicodedata.category(char) not in HIDDEN
