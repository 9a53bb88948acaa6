"""Rows ⇄ records: which format a row is in, and how it is read and written.

| format            | what identifies it                    | who writes it                                   |
|-------------------|---------------------------------------|-------------------------------------------------|
| dolly             | instruction, response                 | databricks-dolly-15k; our own steps and releases |
| alpaca            | instruction, output                   | Stanford Alpaca and what descends from it       |
| self-instruct     | instruction, instances                | Self-Instruct seed tasks                        |
| messages          | messages: [{role, content}]           | chat APIs, TRL                                  |
| sharegpt          | conversations: [{from, value}]        | ShareGPT, Vicuna                                |
| prompt-completion | prompt, completion                    | TRL, older APIs                                 |

Text is taken as it stands: nothing is stripped, capitalised or cut. A row that cannot be read is a list of reasons.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from schemas.record import InstructionRecord, Reason, Row

ROW_REASONS = {
    "row_not_json": "The line is not JSON.",
    "row_not_utf8": "The line is not UTF-8 text.",
    "row_not_object": "The row is not an object with named fields.",
    "row_too_large": "The row is larger than the limit.",
    "row_columns_differ": "The row has more or fewer columns than the header.",
    "row_format_unknown": "The row is in none of the formats we know.",
    "field_missing": "A field that is needed is not there.",
    "field_null": "A field that is needed is null.",
    "field_not_text": "A field that should be text is something else.",
    "field_not_list": "A field that should be a list is something else.",
    "turns_not_single": "The conversation is not one question and one answer.",
    "instruction_empty": "The instruction is empty.",
    "response_empty": "The response is empty.",
    "text_not_unicode": "The text holds half of a surrogate pair, which is no character.",
    "text_has_nul": "The text holds a NUL character.",
    "system_prompt_set_aside": "The conversation had a system prompt; it is kept in extra, not trained on.",
}
"""Every reason code that reading a row can give, in plain words."""

Reading: TypeAlias = InstructionRecord | tuple[Reason, ...]
"""A row that was read: a record, or the reasons why it is none."""

FOUND_MOST = 120
"""Characters of evidence kept in a reason."""


class Turn(NamedTuple):
    """One message of a conversation."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way of writing an instruction/response pair down."""

    name: str
    needs: tuple[str, ...]
    """The fields that identify it."""
    read: Callable[["_Fields"], InstructionRecord]
    write: Callable[[InstructionRecord], dict[str, Any]]


def read_row(row: Row, name: str) -> Reading:
    """Read a row in the format called `name`: a record, or every reason why it is none."""
    fields = _Fields(row)
    record = FORMATS[name].read(fields)
    return tuple(fields.problems) or record


def write_row(record: InstructionRecord, name: str) -> dict[str, Any]:
    """Return the record as a row of the format called `name`, without what that format cannot say."""
    return FORMATS[name].write(record)


def detect(row: Row, otherwise: str = "") -> str:
    """Return the format a row is in; for a row that lacks a field, `otherwise` if its first field fits; else ''."""
    for form in FORMATS.values():
        if all(need in row for need in form.needs):
            return form.name
    if otherwise and any(need in row for need in FORMATS[otherwise].needs):
        return otherwise
    return next((form.name for form in FORMATS.values() if form.needs[0] in row), "")


def expand(row: Row) -> Iterator[Row]:
    """Yield one row per pair: a Self-Instruct task with several instances holds several."""
    instances = row.get("instances")
    if isinstance(instances, list) and len(instances) > 1:
        for instance in instances:
            yield {**row, "instances": [instance]}
    else:
        yield row


def shown(value: object) -> str:
    """Return a value as evidence: on one line, shortened."""
    text = "null" if value is None else repr(value) if isinstance(value, str) else f"{type(value).__name__} {value!r}"
    return text if len(text) <= FOUND_MOST else text[: FOUND_MOST - 1] + "…"


class _Fields:
    """A row being read: hands out fields and collects what is wrong with them."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.problems: list[Reason] = []
        self._used: set[str] = set()

    def text(self, name: str, *, part: str = "", needed: bool = True) -> str:
        """Return the text of field `name`, or '' and a problem; `part` is the record's field it becomes."""
        self._used.add(name)
        if name not in self.row:
            return self._missing("field_missing", name, "nothing") if needed else ""
        value = self.row[name]
        if value is None:
            return self._missing("field_null", name, "null") if needed else ""
        return self._checked(value, name, part if needed else "")

    def inner(self, value: object, where: str, part: str) -> str:
        """Return the text of a nested value, or '' and a problem."""
        return self._missing("field_null", where, "null") if value is None else self._checked(value, where, part)

    def items(self, name: str) -> list[Any]:
        """Return the list in field `name`, or [] and a problem."""
        self._used.add(name)
        value = self.row.get(name)
        if isinstance(value, list):
            return value
        self.problem("field_not_list", name, shown(value), "a list")
        return []

    def problem(self, code: str, field: str, found: str, limit: str) -> None:
        """Note one thing that is wrong."""
        self.problems.append(Reason(code=code, field=field, found=found, limit=limit))

    def rest(self) -> dict[str, Any]:
        """Return the fields that nobody asked for."""
        return {key: value for key, value in self.row.items() if key not in self._used}

    def _missing(self, code: str, name: str, found: str) -> str:
        self.problem(code, name, found, "text")
        return ""

    def _checked(self, value: object, where: str, part: str) -> str:
        if not isinstance(value, str):
            self.problem("field_not_text", where, shown(value), "text")
            return ""
        if part and not value.strip():
            self.problem(f"{part}_empty", where, shown(value), "text")
        if "\0" in value:
            self.problem("text_has_nul", where, f"NUL at character {value.index(chr(0))}", "no NUL")
        if (at := _surrogate(value)) is not None:
            self.problem("text_not_unicode", where, f"\\u{ord(value[at]):04x} at character {at}", "Unicode text")
        return value


def _surrogate(text: str) -> int | None:
    """Return where the first lone surrogate stands; encoding is the fast way to find that there is none."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _read_dolly(row: _Fields) -> InstructionRecord:
    return InstructionRecord(
        instruction=row.text("instruction", part="instruction"),
        context=row.text("context", needed=False),
        response=row.text("response", part="response"),
        category=row.text("category", needed=False),
        extra=row.rest(),
    )


def _read_alpaca(row: _Fields) -> InstructionRecord:
    return InstructionRecord(
        instruction=row.text("instruction", part="instruction"),
        context=row.text("input", needed=False),
        response=row.text("output", part="response"),
        category=row.text("category", needed=False),
        extra=row.rest(),
    )


def _read_prompt_completion(row: _Fields) -> InstructionRecord:
    return InstructionRecord(
        instruction=row.text("prompt", part="instruction"),
        response=row.text("completion", part="response"),
        category=row.text("category", needed=False),
        extra=row.rest(),
    )


def _read_self_instruct(row: _Fields) -> InstructionRecord:
    instruction = row.text("instruction", part="instruction")
    is_classification = row.row.get("is_classification") is True
    pair = _Fields(_instance(row))
    record = InstructionRecord(
        instruction=instruction,
        context=pair.text("input", needed=False),
        response=pair.text("output", part="response"),
        category="classification" if is_classification else "",
        extra={key: value for key, value in row.rest().items() if key != "is_classification"},
    )
    row.problems += [_at(problem, "instances[0]") for problem in pair.problems if not row.problems]
    return record


def _instance(row: _Fields) -> Row:
    instances = row.items("instances")
    if instances and isinstance(instances[0], Mapping):
        return instances[0]
    if not row.problems:
        row.problem("field_not_list", "instances", shown(instances), "at least one {input, output}")
    return {}


def _at(problem: Reason, place: str) -> Reason:
    return Reason(code=problem.code, field=f"{place}.{problem.field}", found=problem.found, limit=problem.limit)


def _read_messages(row: _Fields) -> InstructionRecord:
    return _single_turn(
        row, "messages", "role", "content", {"user": "user", "assistant": "assistant", "system": "system"}
    )


def _read_sharegpt(row: _Fields) -> InstructionRecord:
    roles = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
    return _single_turn(row, "conversations", "from", "value", roles)


def _single_turn(row: _Fields, field: str, who: str, what: str, roles: Mapping[str, str]) -> InstructionRecord:
    """Read a conversation of one question and one answer; a system prompt is set aside and flagged."""
    turns = list(_turns(row, field, who, what, roles))
    system = [turn.text for turn in turns if turn.role == "system"]
    pair = [turn for turn in turns if turn.role != "system"]
    if not row.problems and [turn.role for turn in pair] != ["user", "assistant"]:
        found = ", ".join(turn.role for turn in turns) or "no messages"
        row.problem("turns_not_single", field, found[:FOUND_MOST], "user, assistant")
    if row.problems:
        return InstructionRecord(instruction="", response="")
    flags = (Reason(code="system_prompt_set_aside", field=field, found=shown(system[0])),) if system else ()
    extra = {**row.rest(), "system": system[0]} if system else row.rest()
    return InstructionRecord(instruction=pair[0].text, response=pair[1].text, flags=flags, extra=extra)


def _turns(row: _Fields, field: str, who: str, what: str, roles: Mapping[str, str]) -> Iterator[Turn]:
    parts = {"user": "instruction", "assistant": "response", "system": ""}
    for number, message in enumerate(row.items(field)):
        where = f"{field}[{number}]"
        if not isinstance(message, Mapping):
            row.problem("field_not_text", where, shown(message), f"{{{who}, {what}}}")
            continue
        role = roles.get(str(message.get(who)), str(message.get(who)))
        yield Turn(role, row.inner(message.get(what), f"{where}.{what}", parts.get(role, "")))


def _write_dolly(record: InstructionRecord) -> dict[str, Any]:
    return {
        "instruction": record.instruction,
        "context": record.context,
        "response": record.response,
        "category": record.category,
    }


def _write_alpaca(record: InstructionRecord) -> dict[str, Any]:
    return {"instruction": record.instruction, "input": record.context, "output": record.response}


def _asked(record: InstructionRecord) -> str:
    return f"{record.instruction}\n\n{record.context}" if record.context else record.instruction


def _write_prompt_completion(record: InstructionRecord) -> dict[str, Any]:
    return {"prompt": _asked(record), "completion": record.response}


def _write_self_instruct(record: InstructionRecord) -> dict[str, Any]:
    return {
        "instruction": record.instruction,
        "instances": [{"input": record.context, "output": record.response}],
        "is_classification": record.category == "classification",
    }


def _write_messages(record: InstructionRecord) -> dict[str, Any]:
    asked, answered = {"role": "user", "content": _asked(record)}, {"role": "assistant", "content": record.response}
    return {"messages": [asked, answered]}


def _write_sharegpt(record: InstructionRecord) -> dict[str, Any]:
    asked, answered = {"from": "human", "value": _asked(record)}, {"from": "gpt", "value": record.response}
    return {"conversations": [asked, answered]}


_FORMATS: Iterable[Format] = (
    Format(name="dolly", needs=("instruction", "response"), read=_read_dolly, write=_write_dolly),
    Format(name="alpaca", needs=("instruction", "output"), read=_read_alpaca, write=_write_alpaca),
    Format(
        name="self-instruct", needs=("instruction", "instances"), read=_read_self_instruct, write=_write_self_instruct
    ),
    Format(name="messages", needs=("messages",), read=_read_messages, write=_write_messages),
    Format(name="sharegpt", needs=("conversations",), read=_read_sharegpt, write=_write_sharegpt),
    Format(
        name="prompt-completion",
        needs=("prompt", "completion"),
        read=_read_prompt_completion,
        write=_write_prompt_completion,
    ),
)

FORMATS = {form.name: form for form in _FORMATS}
"""Format name → how to read and write it; detection tries them in this order."""
