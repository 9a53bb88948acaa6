"""Which licence a release is under: a note that names it, and what the Hub calls it."""

from collections.abc import Mapping
from typing import NamedTuple

from curation.terms.table import MEANINGS
from curation.visible import on_one_line
from schemas.errors import GateError
from schemas.release import Waiver


class Licence(NamedTuple):
    """A licence that the Hub knows by an id."""

    title: str
    url: str
    commercial: bool = True
    """Allows commercial use."""


_CC = "https://creativecommons.org/licenses"
LICENCES = {
    "apache-2.0": Licence("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": Licence("MIT License", "https://opensource.org/license/mit"),
    "cc0-1.0": Licence("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "cc-by-4.0": Licence("Creative Commons Attribution 4.0", f"{_CC}/by/4.0/"),
    "cc-by-sa-3.0": Licence("Creative Commons Attribution-ShareAlike 3.0", f"{_CC}/by-sa/3.0/"),
    "cc-by-sa-4.0": Licence("Creative Commons Attribution-ShareAlike 4.0", f"{_CC}/by-sa/4.0/"),
    "cc-by-nc-4.0": Licence("Creative Commons Attribution-NonCommercial 4.0", f"{_CC}/by-nc/4.0/", commercial=False),
    "cc-by-nc-sa-4.0": Licence(
        "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", f"{_CC}/by-nc-sa/4.0/", commercial=False
    ),
    "odc-by": Licence("Open Data Commons Attribution 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "odbl": Licence("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
"""The Hub's id → the licence."""
SPDX = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-3.0": "CC-BY-SA-3.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
}
"""The Hub's id → the id of the SPDX list."""


def hub_fields(licence: str) -> dict[str, str]:
    """Return what the card's head says of the licence: an id the Hub knows, or `other` with its name."""
    if not licence:
        return {"license": "unknown"}
    if licence in LICENCES:
        return {"license": licence}
    return {"license": "other", "license_name": on_one_line(licence), "license_link": "LICENSE"}


def looser_than(licence: str, terms: str) -> str:
    """Return why a licence may allow more than the models' terms do; empty where it does not.

    A licence that is none grants nothing. A licence that forbids commercial use is held to be as strict as any terms of
    the table. What a licence of one's own grants is not known here, so it passes only where the models' terms are open.
    """
    if not licence or terms == "open":
        return ""
    known = LICENCES.get(licence)
    if known and not known.commercial and terms in ("no-compete", "non-commercial"):
        return ""
    allows = (
        f"{known.title} allows any use"
        if known and known.commercial
        else f"what {on_one_line(licence)} allows is not known here"
    )
    return f"{allows}, the models that wrote the records do not: {MEANINGS[terms]}"


def check_terms(licence: str, terms: str, models: Mapping[str, str], waiver: Waiver | None) -> None:
    """Refuse a licence that promises what the models' makers did not allow.

    Raises:
        GateError: it is looser, and nobody waived that.
    """
    why = looser_than(licence, terms)
    if why and waiver is None:
        bound = [f"{on_one_line(name)} ({kind})" for name, kind in models.items() if kind == terms]
        named = ", ".join(bound) or "a model that wrote a part of them"
        raise GateError(
            f"licence {on_one_line(licence)}: {why}: {named}. Choose a stricter licence, leave these records out, or "
            "say who answers for it and why: --waive-terms 'NAME: REASON'"
        )


def read_waiver(text: str) -> Waiver | None:
    """Read `NAME: REASON`; nothing from nothing.

    Raises:
        GateError: a waiver without a name or without a reason is none.
    """
    if not text.strip():
        return None
    name, _, reason = (part.strip() for part in text.partition(":"))
    if not name or not reason:
        raise GateError(f"waive-terms: expected 'NAME: REASON', found {text!r}")
    return Waiver(by=name, reason=reason)


def licence_note(licence: str, name: str) -> str:
    """Return the text of the file LICENSE."""
    name, called = on_one_line(name), on_one_line(licence)
    if not licence:
        return (
            f"No licence has been stated for the data set {name}.\n\n"
            "Until its owners state one, nobody else may copy, change or share it beyond what the law allows anyway.\n"
        )
    known = LICENCES.get(licence)
    text = f"The data set {name} is released under: {known.title if known else called}.\n"
    text += f"Its full text: {known.url}\n" if known else ""
    return (
        text + "\nThe models and texts that the data was made from may set terms of their own; README.md names them.\n"
    )
