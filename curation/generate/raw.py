"""What stands before a user's words in a model's own chat form: what a raw prompt is made of.

It comes out of the model's chat template, which is somebody else's program text and is therefore run in a sandbox.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from schemas.errors import InputError
from schemas.models import ModelPlace

FORMS: Mapping[str, str] = {
    "chatml": "<|im_start|>user\n",
    "llama-3": "<|start_header_id|>user<|end_header_id|>\n\n",
    "gemma": "<start_of_turn>user\n",
    "mistral": "[INST] ",
    "phi": "<|user|>\n",
}
"""Name → what stands before a user's words in the chat form of that name."""
MARK = "\ue000the user's words\ue001"
"""Stands where the user's words would."""
TEMPLATE = "tokenizer.chat_template"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def raw_prompt(setting: str, place: ModelPlace | None) -> str:
    """Return the raw prompt that a setting names or is; without one, that of a model on this machine.

    Raises:
        InputError: nothing says how the model's chats are written.
    """
    if setting:
        return FORMS.get(setting, setting.replace("\\n", "\n"))
    template = chat_template(place) if place else ""
    if not template:
        expected = f"one of {', '.join(FORMS)}, or what stands before a user's words in the model's chat form"
        raise InputError(place="generate", field="raw_prompt", expected=expected, found="nothing that says it")
    return before_user(template)


def before_user(template: str) -> str:
    """Return what a chat template writes before the words of a user who speaks first.

    Raises:
        InputError: the template cannot be run, or leaves the user's words out.
    """
    from jinja2 import TemplateError  # noqa: PLC0415  # only here
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
    messages = [{"role": "user", "content": MARK}]
    try:
        chat = environment.from_string(template).render(
            messages=messages, bos_token="", eos_token="", raise_exception=_no
        )
    except (TemplateError, TypeError) as error:
        raise InputError(place="generate", field="raw_prompt", expected="a chat template", found=str(error)) from error
    before, mark, _ = chat.partition(MARK)
    if not mark:
        raise InputError(
            place="generate", field="raw_prompt", expected="a template with the user's words", found="none"
        )
    return before


def chat_template(place: ModelPlace) -> str:
    """Return the chat template that a model on this machine brings, or nothing."""
    folder = Path(place.path)
    if place.gguf_file:
        return gguf_text(folder / place.gguf_file, TEMPLATE)
    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    if (folder / "tokenizer_config.json").is_file():
        found = json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template")
        return found if isinstance(found, str) else ""
    return ""


def gguf_text(path: Path, wanted: str) -> str:
    """Return a text of a GGUF file's metadata, or nothing; the `gguf` package takes seconds for the same."""
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            return ""
        _, _, count = struct.unpack("<IQQ", file.read(20))
        for _ in range(count):
            name = _value(file, _STRING)
            value = _value(file, *struct.unpack("<I", file.read(4)))
            if name == wanted:
                return value if isinstance(value, str) else ""
    return ""


def _value(file: IO[bytes], kind: int) -> Any:
    """Read one value of the GGUF format; an array as its length."""
    if kind == _STRING:
        (size,) = struct.unpack("<Q", file.read(8))
        return file.read(size).decode("utf-8", errors="replace")
    if kind == _ARRAY:
        inner, size = struct.unpack("<IQ", file.read(12))
        for _ in range(size):
            _value(file, inner)
        return size
    form = _NUMBERS[kind]
    return struct.unpack(f"<{form}", file.read(struct.calcsize(form)))[0]


def _no(message: str) -> None:
    """Stop a template that refuses what it was given."""
    raise TypeError(message)
