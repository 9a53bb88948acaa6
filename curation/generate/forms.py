"""The forms of the output contract: each tells a model how to write items, shows some, and reads what was written."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curation.generate.contract import Item, Wanted

ITEMS = "items"
"""The key of the list in JSON, and the name of the tool."""
CUT = "instruction_truncated"
NONE = "not_an_item"
EXPECTED = {
    "schema": "an item of the JSON list",
    "json": "an item of the JSON list",
    "tool": "an item of the tool's arguments",
    "text": "an item between its marks",
    "list": "a numbered line",
}
"""Form → what a piece of an answer should have been."""

_DECODER = JSONDecoder()
_LINE = re.compile(r"\s*(?:\d+\s*[.):]|[-*•])\s*(?P<text>.*\S)?\s*")
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Schema:
    """JSON that the server keeps to a schema: `{"items": ["…", "…"]}`, objects where an item has several fields."""

    def words(self, wanted: "Wanted") -> str:
        """Say it in words as well: a model writes better what it knows it will have to write."""
        return f"Answer in JSON: {_skeleton(wanted)}"

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:
        """Return the response format."""
        schema = {"name": ITEMS, "strict": True, "schema": _schema(wanted)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def shown(self, wanted: "Wanted", items: Sequence["Item"]) -> str:
        """Return the JSON."""
        return json.dumps({ITEMS: [_plain(wanted, item) for item in items]}, ensure_ascii=False)

    def read(self, wanted: "Wanted", text: str, *, cut: bool) -> tuple[list["Item"], list[tuple[str, str]]]:
        """Read the list element by element: a schema does not keep an answer from being cut."""
        start = text.find("[") + 1
        if not start:
            return [], [(text, CUT if cut else NONE)]
        closed: list[Item] = []
        rest: list[tuple[str, str]] = []
        at = _past(text, start)
        while at < len(text) and text[at] != "]":
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (JSONDecodeError, RecursionError):
                rest.append((text[at:], CUT if cut else NONE))
                break
            item = _item(wanted, value)
            closed += [item] if item else []
            rest += [] if item else [(text[at:end], NONE)]
            at = _past(text, end)
        return closed, rest or ([] if closed else [(text, NONE)])


class JsonMode(Schema):
    """JSON whose shape the model takes from the words."""

    __slots__ = ()

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:  # noqa: ARG002  # the same for all
        """Return the response format."""
        return {"response_format": {"type": "json_object"}}


class Tool(Schema):
    """The arguments of a tool that the model has to call."""

    __slots__ = ()

    def words(self, wanted: "Wanted") -> str:
        """Name the tool."""
        return f"Call the tool `{ITEMS}` with {_skeleton(wanted)}"

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:
        """Return the tool, and that it has to be called."""
        tool = {"name": ITEMS, "description": "Hands over the items.", "parameters": _schema(wanted)}
        choice = {"type": "function", "function": {"name": ITEMS}}
        return {"tools": [{"type": "function", "function": tool}], "tool_choice": choice}


@dataclass(frozen=True, slots=True)
class Marked:
    """Text between lines that hold the request's own mark."""

    def words(self, wanted: "Wanted") -> str:
        """Spell the lines out."""
        lines = [f"<{wanted.mark} {field}>\n(the {field})" for field in wanted.fields]
        optional = f" {' and '.join(wanted.optional)} may be left out." if wanted.optional else ""
        shape = "\n".join([*lines, f"<{wanted.mark} end>"])
        return f"Write each one exactly in this form, with these lines, and nothing else:{optional}\n{shape}"

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:  # noqa: ARG002  # no server knows it
        """Return nothing."""
        return {}

    def shown(self, wanted: "Wanted", items: Sequence["Item"]) -> str:
        """Return the items between their marks."""
        return "\n".join(_between_marks(wanted, item) for item in items)

    def read(self, wanted: "Wanted", text: str, *, cut: bool) -> tuple[list["Item"], list[tuple[str, str]]]:
        """An item runs from the mark of its first field to the mark `end`."""
        closed: list[Item] = []
        rest: list[tuple[str, str]] = []
        parts = re.split(rf"^[ \t]*<{re.escape(wanted.mark)} end>[ \t]*$", text, flags=re.MULTILINE)
        for part in parts[:-1]:
            item = _marked(wanted, part)
            closed += [item] if item else []
            rest += [] if item else [(part, NONE)]
        if parts[-1].strip():
            rest.append((parts[-1], CUT if cut else NONE))
        return closed, rest


@dataclass(frozen=True, slots=True)
class Numbered:
    """A numbered list; an item is a line."""

    def words(self, wanted: "Wanted") -> str:  # noqa: ARG002  # it is shown, not told
        """Return nothing: a model that needs this form follows what it is shown."""
        return ""

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:  # noqa: ARG002  # no server knows it
        """Return nothing."""
        return {}

    def shown(self, wanted: "Wanted", items: Sequence["Item"]) -> str:
        """Return the list."""
        field = wanted.fields[0]
        return "\n".join(f"{number}. {item[field]}" for number, item in enumerate(items, 1))

    def read(self, wanted: "Wanted", text: str, *, cut: bool) -> tuple[list["Item"], list[tuple[str, str]]]:
        """Take every numbered or bulleted line; the last one of a cut answer was not closed."""
        closed: list[Item] = []
        rest: list[tuple[str, str]] = []
        lines = [line for line in text.splitlines() if line.strip()]
        whole = lines[:-1] if cut else lines
        for line in whole:
            match = _LINE.fullmatch(line)
            closed += [{wanted.fields[0]: match["text"] or ""}] if match else []
            rest += [] if match else [(line, NONE)]
        return closed, rest + ([(lines[-1], CUT)] if cut and lines else [])


def _schema(wanted: "Wanted") -> dict[str, Any]:
    """Return the JSON schema of what is wanted; every field is required, because strict modes want it so."""
    text = {"type": "string"}
    properties = dict.fromkeys(wanted.fields, text)
    whole = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    one = text if len(wanted.fields) == 1 else whole
    items = {"type": "array", "items": one}
    return {"type": "object", "properties": {ITEMS: items}, "required": [ITEMS], "additionalProperties": False}


def _skeleton(wanted: "Wanted") -> str:
    one = "…" if len(wanted.fields) == 1 else dict.fromkeys(wanted.fields, "…")
    empty = f" ({' and '.join(wanted.optional)}: empty where there is none)" if wanted.optional else ""
    return f"{json.dumps({ITEMS: [one]}, ensure_ascii=False)} with {wanted.count} items{empty}."


def _plain(wanted: "Wanted", item: "Item") -> Any:
    """Return an item as it stands in JSON."""
    if len(wanted.fields) == 1:
        return item[wanted.fields[0]]
    return {field: item.get(field, "") for field in wanted.fields}


def _item(wanted: "Wanted", value: object) -> "Item | None":
    """Return an element of the list as an item; None: it is none."""
    if isinstance(value, str) and len(wanted.fields) == 1:
        return {wanted.fields[0]: value}
    if not isinstance(value, Mapping):
        return None
    texts = {field: value.get(field, "" if field in wanted.optional else None) for field in wanted.fields}
    return texts if all(isinstance(text, str) for text in texts.values()) else None


def _past(text: str, at: int) -> int:
    """Return where the next element begins, after spaces and commas."""
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _between_marks(wanted: "Wanted", item: "Item") -> str:
    fields = [field for field in wanted.fields if item.get(field) or field not in wanted.optional]
    return "\n".join([*(f"<{wanted.mark} {field}>\n{item.get(field, '')}" for field in fields), f"<{wanted.mark} end>"])


def _marked(wanted: "Wanted", part: str) -> "Item | None":
    """Return the fields of what stands before an end mark; None: one is missing, or something stands before them."""
    pieces = re.split(rf"^[ \t]*<{re.escape(wanted.mark)} (\w+)>[ \t]*$", part, flags=re.MULTILINE)
    found = {name: text.strip("\n") for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    needed = [field for field in wanted.fields if field not in wanted.optional]
    if pieces[0].strip() or not set(needed) <= set(found):
        return None
    return {field: found.get(field, "") for field in wanted.fields}
