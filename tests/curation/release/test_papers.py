"""The papers of a release: what other programs read, what only people know, and nothing left to be filled in."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
import yaml

from curation.release.about import PLACEHOLDER
from curation.release.build import Release, release
from curation.release.rows import ROW_GROUP
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.outcome import Outcome, reject
from schemas.record import Provenance, Reason
from schemas.release import RowsDigest
from tests.hostile import HOSTILE
from tests.support import pair, step_of

ABOUT = {
    "motivation": "To find out whether curation pays.\n\nA second paragraph.",
    "maintenance": "Ada Byron answers questions.",
    "creators": ["Analytical Engines Ltd"],
    "languages": ["en", "de"],
    "url": "https://data.example/colours",
    "personal": "None: the records are about colours.",
    "limits": "Only colours.",
}


def built(tmp_path: Path, about: object = None, **settings: str) -> Path:
    """Return a release of a dozen records and a rejection."""
    rows: list[Outcome] = [
        *(pair(f"Name colour {n}.", "Blue.", "c" * n, provenance=Provenance(model="smollm2-135m")) for n in range(12)),
        reject(pair("x"), Reason(code="too_short")),
    ]
    if about is not None:
        (tmp_path / "about.yaml").write_text(yaml.safe_dump(about) if not isinstance(about, str) else about)
        settings["about"] = str(tmp_path / "about.yaml")
    release(step_of(tmp_path / "step", rows), tmp_path / "rel", Release(**{"title": "Colours", **settings}))
    return tmp_path / "rel"


def croissant(folder: Path) -> dict[str, Any]:
    """Return croissant.json."""
    found: dict[str, Any] = json.loads((folder / "croissant.json").read_bytes())
    return found


@pytest.mark.parametrize("about", [None, ABOUT])
def test_croissant_is_valid_and_its_records_can_be_read(
    tmp_path: Path, about: object, caplog: pytest.LogCaptureFixture
) -> None:
    """By MLCommons' own library, which finds no error and nothing to warn of, and reads every row."""
    folder = built(tmp_path, about, license="cc-by-4.0")

    with caplog.at_level(logging.WARNING):
        found = mlcroissant.Dataset(folder / "croissant.json")

    rows = list(found.records("default"))
    chats = list(found.records("messages"))
    assert not found.metadata.ctx.issues.errors
    assert not found.metadata.ctx.issues.warnings
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert (len(rows), len(chats)) == (12, 12)
    assert {row["default/response"] for row in rows} == {b"Blue."}


def test_croissant_has_the_real_sums(tmp_path: Path) -> None:
    """Of each file of rows, so that whoever reads by it can check."""
    folder = built(tmp_path)

    for one in croissant(folder)["distribution"]:
        content = (folder / one["contentUrl"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
        assert one["contentSize"] == f"{len(content)} B"


def test_what_only_people_know_stands_under_its_heading(tmp_path: Path) -> None:
    """In the card, in croissant.json and in the citation."""
    folder = built(tmp_path, ABOUT, license="cc-by-4.0")

    card, found = (folder / "README.md").read_text(), croissant(folder)
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert card.index("## Motivation") < card.index("A second paragraph.") < card.index("## Composition")
    assert card.index("## Maintenance") < card.index("Ada Byron answers questions.")
    assert "no program and no person looked for personal" not in card.lower()
    assert (found["creator"][0]["name"], found["inLanguage"]) == ("Analytical Engines Ltd", ["en", "de"])
    assert found["rai:personalSensitiveInformation"] == ABOUT["personal"]
    assert (cited["authors"], cited["license"]) == ([{"name": "Analytical Engines Ltd"}], "CC-BY-4.0")


SEVEN = (
    "Motivation",
    "Composition",
    "Collection process",
    "Preprocessing, cleaning and labelling",
    "Uses",
    "Distribution",
    "Maintenance",
)


def test_the_card_has_the_seven_headings_of_a_datasheet(tmp_path: Path) -> None:
    """Each with something under it, whatever people told, and the funnel before all."""
    card = (built(tmp_path) / "README.md").read_text()

    parts = card.split("\n## ")[1:]
    assert [part.splitlines()[0] for part in parts][1:] == list(SEVEN)
    assert parts[0].startswith("From what came in to what is here")
    assert all(len(part.split()) > 10 for part in parts)


@pytest.mark.parametrize(
    "text",
    ["TODO", "[More Information Needed]", "[LEGAL]", "ask XXX about it", "Lorem ipsum dolor", "<your name>", "tbd"],
)
def test_a_placeholder_fails(tmp_path: Path, text: str) -> None:
    """Wherever people write."""
    with pytest.raises(InputError, match="text that is finished"):
        built(tmp_path, {"motivation": f"We made it. {text}"})
    with pytest.raises(InputError, match="text that is finished"):
        Release(title=text)


def test_a_card_has_none_by_itself(tmp_path: Path) -> None:
    """Nothing that is written without people is left to be filled in."""
    folder = built(tmp_path)

    for name in ("README.md", "NOTICE", "LICENSE", "CHANGELOG.md", "CITATION.cff", "croissant.json"):
        assert PLACEHOLDER.search((folder / name).read_text()) is None, name


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("motives: x", "unknown setting"),
        ("- a list", "some of the fields"),
        ("a: [", "expected YAML"),
        ("motivation: 3", ""),
    ],
)
def test_a_wrong_about_file_is_refused(tmp_path: Path, about: str, message: str) -> None:
    """Naming the file."""
    with pytest.raises(InputError, match=rf"about.yaml.*{message}"):
        built(tmp_path, about)


def test_what_people_write_is_only_ever_text(tmp_path: Path) -> None:
    """In Markdown, YAML and JSON."""
    for number, text in enumerate(HOSTILE):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = built(folder, dict.fromkeys(("motivation", "limits", "uses", "maintenance"), text))

        card = (made / "README.md").read_text(encoding="utf-8")
        assert [line[3:] for line in card.splitlines() if line.startswith("## ")][1:] == list(SEVEN)
        assert croissant(made)["rai:dataLimitations"] == text or not text


def test_the_lineage_leads_back_by_digests(tmp_path: Path) -> None:
    """From the release to the first file, and no folder of anybody's is named."""
    folder = built(tmp_path)

    manifest = read_manifest(folder)
    assert manifest.release is not None
    last = manifest.release.lineage[-1]
    assert (last.stage, last.rows, last.kept, dict(last.reasons)) == ("given", 13, 12, {"too_short": 1})
    text = "".join(path.read_text() for path in folder.rglob("*") if path.suffix in {".json", ".md", ".cff", ".html"})
    assert str(tmp_path) not in text


def test_the_rows_digest_is_of_the_values_alone() -> None:
    """Whatever their order; any changed value changes it."""
    rows = [{"id": str(n), "flags": ["a", "b"], "text": f"é{n}"} for n in range(5)]

    def digest(given: list[dict[str, Any]]) -> str:
        one = RowsDigest()
        one.add(given)
        return one.hexdigest()

    assert digest(rows) == digest([dict(reversed(row.items())) for row in rows[::-1]])
    assert digest(rows) != digest(rows[:-1])
    assert digest(rows) != digest([{**rows[0], "flags": ["b", "a"]}, *rows[1:]])


def test_rows_are_written_a_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows in the same order, however many are held in memory."""
    import pyarrow.parquet as pq  # noqa: PLC0415  # only here

    whole = pq.read_table(built(tmp_path) / "data")
    monkeypatch.setattr("curation.release.rows.ROW_GROUP", 5)
    folder = tmp_path / "small"
    folder.mkdir()

    parts = pq.ParquetFile(next((built(folder) / "data").iterdir()))

    assert (parts.num_row_groups, ROW_GROUP > 5) == (3, True)
    assert parts.read().equals(whole)
