"""The comparison as one self-contained page, and as JSON beside it; what models and users wrote is only ever text."""

import unicodedata
from dataclasses import asdict
from functools import cache
from pathlib import Path

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from schemas.errors import DollyError
from training.compare import Comparison

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Unicode categories that draw nothing or reorder what is drawn."""


def write_page(comparison: Comparison, page: Path) -> None:
    """Write `page` and its numbers beside it as `.json`.

    Raises:
        DollyError: the files cannot be written.
    """
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.with_suffix(".json").write_bytes(comparison_json(comparison))
        page.write_text(comparison_html(comparison), encoding="utf-8")
    except OSError as error:
        raise DollyError(f"{page}: {error.strerror or error}") from error


def comparison_html(comparison: Comparison) -> str:
    """Return the page: no script, nothing loaded from anywhere."""
    return _template().render(comparison=comparison)


def comparison_json(comparison: Comparison) -> bytes:
    """Return every number and text of the comparison, indented for people."""
    return orjson.dumps(asdict(comparison), option=orjson.OPT_INDENT_2) + b"\n"


def visible(text: str) -> str:
    """Return `text` with each character that draws nothing as its code point; line breaks and tabs stay."""
    return "".join(char if char in "\n\t" or _drawn(char) else f"⟨U+{ord(char):04X}⟩" for char in text)


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{share:.0%}"


def _drawn(char: str) -> bool:
    return unicodedata.category(char) not in HIDDEN


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "percent": percent}
    return environment.get_template("compare.html.j2")
