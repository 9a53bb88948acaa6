"""Validate: any input, each bad row a clear rejection, each unusable file a clear error, nothing lost."""

import gzip
import json
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources import Validate
from schemas.codec import read_record, write_record, write_rejection
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from tests.support import real_data

GOOD = {"instruction": "Name a colour.", "input": "", "output": "Blue."}
LINE = json.dumps(GOOD).encode() + b"\n"


def validated(path: Path, **settings: object) -> list[Outcome]:
    """Return the outcomes of a source."""
    return list(Validate(source=str(path), **settings)())  # type: ignore[arg-type]  # passed through


def wrote(path: Path, lines: Iterable[bytes]) -> Path:
    """Write lines to a file."""
    path.write_bytes(b"".join(lines))
    return path


BAD_LINES = {
    "row_not_json": b'{"instruction": "a", "output": \n',
    "row_not_utf8": b'{"instruction": "caf\xe9", "output": "b"}\n',
    "row_not_object": b"[1, 2]\n",
    "row_format_unknown": b'{"title": "a"}\n',
    "field_missing": b'{"instruction": "a"}\n',
    "field_null": b'{"instruction": null, "output": "b"}\n',
    "field_not_text": b'{"instruction": "a", "output": {"text": "b"}}\n',
    "response_empty": b'{"instruction": "a", "output": ""}\n',
    "text_not_unicode": b'{"instruction": "\\ud800", "output": "b"}\n',
    "text_has_nul": b'{"instruction": "a\\u0000", "output": "b"}\n',
}


@pytest.mark.parametrize("code", BAD_LINES)
def test_a_bad_line_is_a_rejection_and_the_run_goes_on(tmp_path: Path, code: str) -> None:
    """The line number, the reason and the row are kept; the lines around it are read."""
    path = wrote(tmp_path / "a.jsonl", [LINE, BAD_LINES[code], LINE])

    first, bad, last = validated(path)

    assert isinstance(first, InstructionRecord)
    assert isinstance(last, InstructionRecord)
    assert isinstance(bad, Rejection)
    assert (bad.reasons[0].code, bad.provenance.line) == (code, 2)
    assert bad.row


@pytest.mark.parametrize("levels", [600, 1_000, 100_000])
@pytest.mark.parametrize("opens", ['{"a":', "["])
def test_a_line_that_is_nested_too_deeply_is_a_rejection(tmp_path: Path, levels: int, opens: str) -> None:
    """It can be written down, with its line; the lines around it are read."""
    deep = opens * levels + "1" + {"[": "]"}.get(opens, "}") * levels
    line = b'{"instruction": "a", "output": "b", "extra": ' + deep.encode() + b"}\n"

    first, bad, last = validated(wrote(tmp_path / "a.jsonl", [LINE, line, LINE]))

    assert isinstance(first, InstructionRecord)
    assert isinstance(last, InstructionRecord)
    assert isinstance(bad, Rejection)
    assert (bad.reasons[0].code, bad.reasons[0].found, bad.provenance.line) == ("row_not_json", "nested too deeply", 2)
    assert write_rejection(bad)


def test_a_line_that_is_nested_deeply_enough_is_read(tmp_path: Path) -> None:
    """Somebody's trace of a search, say: a record like any other."""
    line = b'{"instruction": "a", "output": "b", "extra": ' + b"[" * 400 + b"]" * 400 + b"}\n"

    (record,) = validated(wrote(tmp_path / "a.jsonl", [line]))

    assert isinstance(record, InstructionRecord)
    assert read_record(write_record(record)) == record


def test_broken_bytes_can_be_had_back(tmp_path: Path) -> None:
    """A line that is no UTF-8 is kept whole, in base64."""
    _, bad = validated(wrote(tmp_path / "a.jsonl", [LINE, BAD_LINES["row_not_utf8"]]))

    assert isinstance(bad, Rejection)
    assert "base64" in bad.row


def test_a_50_mb_line_is_rejected_without_being_held(tmp_path: Path) -> None:
    """The rejection says where it stands, how large it is and its hash; the next line is read."""
    huge = b'{"instruction": "a", "output": "' + b"x" * 50_000_000 + b'"}\n'

    huge_row, good = validated(wrote(tmp_path / "a.jsonl", [huge, LINE]))

    assert isinstance(huge_row, Rejection)
    assert huge_row.reasons[0].code == "row_too_large"
    assert huge_row.row["bytes"] == len(huge)
    assert isinstance(good, InstructionRecord)


def test_mixed_formats_are_each_read_in_their_own(tmp_path: Path) -> None:
    """One file may hold Alpaca rows and chats."""
    chat = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}

    outcomes = validated(wrote(tmp_path / "a.jsonl", [LINE, json.dumps(chat).encode() + b"\n"]))

    assert [outcome.provenance.format for outcome in outcomes] == ["alpaca", "messages"]


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "a.csv", "a.tsv", "a.parquet", "a.arrow", "a.txt"]
)
def test_the_same_rows_in_any_kind_of_file_are_the_same_records(tmp_path: Path, name: str) -> None:
    """JSON lines, JSON, CSV, Parquet, Arrow, gzipped or not, with a byte order mark or without."""
    rows = [GOOD, {**GOOD, "instruction": 'Say "hé",\nplease.'}]
    path = tmp_path / name
    if name.endswith((".parquet", ".arrow")):
        write_columns(pa.Table.from_pylist(rows), path)
    else:
        content = b"\xef\xbb\xbf" + _content(rows, name)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    outcomes = validated(path)

    assert [outcome.instruction for outcome in outcomes if isinstance(outcome, InstructionRecord)] == [
        row["instruction"] for row in rows
    ]


COLUMNS = {
    "at": (pa.timestamp("ns", tz="UTC"), 1_000_000_001, "1970-01-01T00:00:01.000000001+00:00"),
    "day": (pa.date32(), date(2024, 2, 29), "2024-02-29"),
    "hour": (pa.time64("us"), time(8, 30), "08:30:00"),
    "took": (pa.duration("s"), timedelta(seconds=90), "0:01:30"),
    "price": (pa.decimal128(5, 2), Decimal("1.5"), "1.50"),
    "image": (pa.binary(), b"\xff\x00", {"base64": "/wA="}),
    "many": (pa.list_(pa.struct([("day", pa.date32())])), [{"day": date(2024, 2, 29)}], [{"day": "2024-02-29"}]),
    "map": (pa.map_(pa.string(), pa.binary()), [("a", b"b")], [["a", {"base64": "Yg=="}]]),
    "whole": (pa.int64(), 3, 3),
    "none": (pa.timestamp("us"), None, None),
}
"""Column → its type, a value, and what JSON says of it."""


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
@pytest.mark.parametrize("instruction", ["Name a colour.", ""], ids=["kept", "rejected"])
def test_columns_that_json_has_no_words_for(tmp_path: Path, name: str, instruction: str) -> None:
    """Dates, bytes and exact numbers are carried along in words, in a record and in a rejection."""
    columns = {column: pa.array([value], kind) for column, (kind, value, _) in COLUMNS.items()}
    table = pa.table({"instruction": [instruction], "output": ["Blue."], **columns})
    path = write_columns(table, tmp_path / name)

    (outcome,) = validated(path)
    line = write_rejection(outcome) if isinstance(outcome, Rejection) else write_record(outcome)
    carried = outcome.row if isinstance(outcome, Rejection) else outcome.extra

    assert json.loads(line)
    assert {column: carried[column] for column in COLUMNS} == {column: said for column, (*_, said) in COLUMNS.items()}
    assert isinstance(outcome, Rejection) is (not instruction)


def write_columns(table: pa.Table, path: Path) -> Path:
    """Write a table as Parquet or as Arrow, by the file's name."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_file_of_columns_that_ends_early_is_a_clear_error(tmp_path: Path, name: str) -> None:
    """And so is a date that no calendar has."""
    path = write_columns(pa.table({"instruction": ["Name a colour."] * 99, "output": ["Blue."] * 99}), tmp_path / name)
    path.write_bytes(path.read_bytes()[:-200])
    never = pa.table({"instruction": ["a"], "output": ["b"], "at": pa.array([10**15], pa.timestamp("s"))})

    with pytest.raises(InputError, match=r"expected an? (Parquet|Arrow) file"):
        validated(path)
    with pytest.raises(InputError, match=r"expected an? (Parquet|Arrow) file"):
        validated(write_columns(never, path))


def _content(rows: list[dict[str, str]], name: str) -> bytes:
    if ".csv" in name or ".tsv" in name:
        mark = "," if ".csv" in name else "\t"
        quoted = [[cell.replace('"', '""') for cell in row.values()] for row in rows]
        lines = [mark.join(rows[0]), *(mark.join(f'"{cell}"' for cell in cells) for cells in quoted)]
        return "\n".join(lines).encode()
    if ".jsonl" in name or name.endswith(".txt"):
        return "\n".join(json.dumps(row) for row in rows).encode()
    return json.dumps({"data": rows}).encode()


def test_a_folder_is_all_its_data_files(tmp_path: Path) -> None:
    """Files are read in order of their names; a README and hidden files are not rows."""
    (tmp_path / "b").mkdir()
    wrote(tmp_path / "b" / "two.jsonl", [LINE])
    wrote(tmp_path / "a.jsonl", [LINE])
    wrote(tmp_path / "README.md", [b"hello"])
    wrote(tmp_path / ".hidden.jsonl", [LINE])

    assert [outcome.provenance.source for outcome in validated(tmp_path)] == ["a.jsonl", "two.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", "\ufeffhello".encode("utf-16-le"), "expected UTF-8 text, found UTF-16"),
        ("a.jsonl.gz", gzip.compress(LINE * 999)[:-20], "a damaged one"),
        ("a.json", b"[1, 2", "expected JSON"),
        ("a.json", b"3", "expected a list of rows"),
        ("a.parquet", b"PAR1 no", "expected a Parquet file"),
        ("a.arrow", b"hello, world", "expected an Arrow file"),
        ("a.json", b"[" * 600 + b"]" * 600, "expected JSON, found nested too deeply"),
        ("a.txt", b"hello", "or JSON, found something else"),
        ("a.csv", b'instruction,output\n"a"b,c\n', "expected CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    """The message names the file, what was expected and what was found."""
    path = wrote(tmp_path / name, [content])

    with pytest.raises(InputError, match=says) as caught:
        validated(path)

    assert str(path) in str(caught.value)


def test_nothing_there_is_a_clear_error(tmp_path: Path) -> None:
    """A wrong path says what an input may be."""
    with pytest.raises(InputError, match="expected a file, a folder or a Hub id"):
        validated(tmp_path / "nowhere")


@given(
    st.lists(
        st.one_of(st.binary(max_size=30), st.sampled_from([LINE[:-1], *[line[:-1] for line in BAD_LINES.values()]]))
    )
)
def test_every_line_has_one_outcome_whatever_it_holds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    """Kept + rejected = rows, in order, for any bytes; only blank lines are no rows."""
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    lines = [LINE[:-1], *(line.replace(b"\n", b"") for line in lines)]
    path.write_bytes(b"\n".join(lines))

    outcomes = validated(path)

    assert [outcome.provenance.line for outcome in outcomes] == [
        number for number, line in enumerate(lines, 1) if line.strip()
    ]


def test_the_28_empty_responses_of_alpaca_are_found() -> None:
    """The data that Dolly was trained on has 28 rows without an answer."""
    outcomes = validated(real_data("alpaca_52k.jsonl.gz"))

    codes = [outcome.reasons[0].code for outcome in outcomes if isinstance(outcome, Rejection)]

    assert len(outcomes) == 52_002
    assert codes == ["response_empty"] * 28


@pytest.mark.parametrize(("name", "rows"), [("self_instruct_seed_tasks.jsonl", 175), ("dolly_human_1500.jsonl", 1501)])
def test_real_files_of_other_projects_are_read_whole(name: str, rows: int) -> None:
    """Self-Instruct's seeds and databricks-dolly rows are records, all of them."""
    outcomes = validated(real_data(name))

    assert sum(isinstance(outcome, InstructionRecord) for outcome in outcomes) == rows
