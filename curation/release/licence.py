"""Which licence a release is under: a note that names it, and what the Hub calls it."""

from typing import NamedTuple

from curation.visible import on_one_line


class Licence(NamedTuple):
    """A licence that the Hub knows by an id."""

    title: str
    url: str


_CC = "https://creativecommons.org/licenses"
LICENCES = {
    "apache-2.0": Licence("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": Licence("MIT License", "https://opensource.org/license/mit"),
    "cc0-1.0": Licence("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "cc-by-4.0": Licence("Creative Commons Attribution 4.0", f"{_CC}/by/4.0/"),
    "cc-by-sa-3.0": Licence("Creative Commons Attribution-ShareAlike 3.0", f"{_CC}/by-sa/3.0/"),
    "cc-by-sa-4.0": Licence("Creative Commons Attribution-ShareAlike 4.0", f"{_CC}/by-sa/4.0/"),
    "cc-by-nc-4.0": Licence("Creative Commons Attribution-NonCommercial 4.0", f"{_CC}/by-nc/4.0/"),
    "cc-by-nc-sa-4.0": Licence("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", f"{_CC}/by-nc-sa/4.0/"),
    "odc-by": Licence("Open Data Commons Attribution 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "odbl": Licence("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
"""The Hub's id → the licence."""


def hub_fields(licence: str) -> dict[str, str]:
    """Return what the card's head says of the licence: an id the Hub knows, or `other` with its name."""
    if not licence:
        return {"license": "unknown"}
    if licence in LICENCES:
        return {"license": licence}
    return {"license": "other", "license_name": on_one_line(licence), "license_link": "LICENSE"}


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
