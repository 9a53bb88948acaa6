"""What of a benchmark's files is looked for."""

from pathlib import Path

import pytest

from curation.contamination.benchmark import Item, read_benchmarks
from schemas.codec import dumps
from schemas.errors import InputError

LONG = "The layers are the link layer, the internet layer, the transport layer and the application layer."


def items(path: Path, *rows: object, fields: tuple[str, ...] = ()) -> list[Item]:
    """Write rows to a file, and read it as a benchmark."""
    path.write_bytes(b"".join(dumps(row) + b"\n" for row in rows))
    return read_benchmarks([str(path)], fields)


def test_prompts_contexts_and_long_answers_are_items(tmp_path: Path) -> None:
    """Ids and categories are not looked for, nor is an answer of a word."""
    row = {"id": "koala_1", "category": "a category of its own", "question": "What are the layers?", "answer": LONG}

    found = items(tmp_path / "a.jsonl", row, {"prompt": "Name the three colours.", "answer": "Red"})

    assert [(one.line, one.field, one.text, one.is_answer) for one in found] == [
        (1, "question", "What are the layers?", False),
        (1, "answer", LONG, True),
        (2, "prompt", "Name the three colours.", False),
    ]


def test_a_prompt_has_its_context(tmp_path: Path) -> None:
    """A Self-Instruct task with two instances is two items, each with its own input."""
    row = {"instruction": "Name a synonym of it.", "instances": [{"input": "glad"}, {"input": "sad", "output": "blue"}]}

    found = items(tmp_path / "a.jsonl", row)

    assert [one.whole for one in found] == ["Name a synonym of it.\nglad", "Name a synonym of it.\nsad"]


def test_conversations_give_what_the_user_says(tmp_path: Path) -> None:
    """Of a conversation the user's turns are prompts and the model's are answers; a bare list of texts is prompts."""
    talk = {"messages": [{"role": "user", "content": "What are the layers?"}, {"role": "assistant", "content": LONG}]}

    found = items(tmp_path / "a.jsonl", talk, {"turns": ["Write a poem on rain.", "Now make it rhyme."]})

    assert [(one.text, one.is_answer) for one in found] == [
        ("What are the layers?", False),
        (LONG, True),
        ("Write a poem on rain.", False),
        ("Now make it rhyme.", False),
    ]


def test_another_field_can_be_named(tmp_path: Path) -> None:
    """A field that nobody knows is read where it is named."""
    found = items(tmp_path / "a.jsonl", {"riddle": "What walks on four legs?"}, fields=("riddle",))

    assert [one.text for one in found] == ["What walks on four legs?"]


def test_a_file_without_items_is_an_error_that_names_its_fields(tmp_path: Path) -> None:
    """Nothing is called clean against a file in which nothing could be looked for."""
    with pytest.raises(InputError, match=r"a\.jsonl: expected prompts or answers .*found riddle, tag"):
        items(tmp_path / "a.jsonl", {"riddle": "What walks on four legs?", "tag": "x"})


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """So is one without a row."""
    with pytest.raises(InputError, match=r"found nothing"):
        items(tmp_path / "a.jsonl")


def test_no_benchmark_is_an_error() -> None:
    """So is none at all."""
    with pytest.raises(InputError, match="expected a benchmark"):
        read_benchmarks([])


def test_equal_texts_of_two_files_are_one_item(tmp_path: Path) -> None:
    """And a file of which all is in another one is still a benchmark."""
    row = dumps({"prompt": "Name the three colours."}) + b"\n"
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(row)

    assert [(one.file, one.line) for one in read_benchmarks([str(tmp_path)])] == [("a.jsonl", 1)]
