"""The report: its numbers are the run's, its page shows them and nothing else, and no text is more than text."""

import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.pipeline import run_stage
from curation.report.collect import Look, collect
from curation.report.drawings import COMPARED_MOST, REASONS_MOST, report_figures
from curation.report.excerpts import MOST, excerpt
from curation.report.figures import Bar, Level, bars, funnel, histogram
from curation.report.numbers import Report
from curation.report.page import report_html, report_json
from curation.report.profile import (
    compare,
    similarity_bin,
    similarity_histogram,
    verb_and_object,
    word_histogram,
)
from curation.report.svg import Caption, percent
from curation.report.write import write_report
from curation.review.plan import Wanted
from curation.review.plan_file import plan_beside
from curation.review.planning import fix_plan, look_beside
from curation.review.sample import Draw, sample_lines, write_sample
from curation.review.stage import Review
from curation.visible import visible
from schemas.codec import adapter
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, Rejection, reject
from schemas.record import InstructionRecord, Provenance, Reason, Repair, flagged, repaired
from schemas.step import StepDirectory
from tests.hostile import HOSTILE, Seen, dangers
from tests.support import pair, step_of

EMPTY = Reason(code="response_empty", field="output", found="''", limit="text")
FIRST = pair("Write 0.", "One two.", category="open_qa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A stage that rejects long answers as duplicates of the first record, flags questions, repairs contexts."""

    name: str = "judge"
    threshold: float = 0.9
    """Cosine, for the figure."""

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield what becomes of each record, and leave a neighbour for it."""
        for record in records:
            outcome = judged(record)
            cosine = 0.95 if isinstance(outcome, Rejection) else 0.5
            aside.leave("neighbours", {"id": record.id, "other": FIRST.id, "cosine": cosine})
            yield outcome


def judged(record: InstructionRecord) -> Outcome:
    """Return what Judge makes of a record."""
    if record.response.startswith("Long"):
        scores = {"cosine": 0.95}
        return reject(record, Reason(code="near_duplicate", other=FIRST.id, limit="0.9", scores=scores))
    if record.instruction.endswith("?"):
        return flagged(record, Reason(code="is_question", field="instruction", found="?"))
    if record.context:
        return repaired(record, Repair(code="no_input_marker", field="context", old=record.context, new=""))
    return record


@pytest.fixture
def last(tmp_path: Path) -> StepDirectory:
    """Return the second of two steps: 10 rows, 3 rejected, 1 repaired, 2 flagged."""
    rows: list[Outcome] = [
        FIRST,
        *[pair(f"Why {number}?", "Because.", category="open_qa") for number in range(2)],
        pair("List three.", "A, b, c.", context="no input", category="brainstorming"),
        *[pair(f"Please describe {number}.", "So and so.") for number in range(3)],
        *[pair(f"Write {number}.", "Long " * 200, category="open_qa") for number in range(1, 3)],
        Rejection(
            row={"instruction": "x", "output": ""}, reasons=(EMPTY,), provenance=Provenance(source="a.jsonl", line=10)
        ),
    ]
    first = step_of(tmp_path / "1-given", rows)
    return run_stage(Judge(), first.path, tmp_path / "2-judge").step


def test_the_numbers_are_the_runs(last: StepDirectory) -> None:
    """Funnel, reasons, repairs, flags: rows of the first step, kept of the last, rejected of all."""
    found = collect(last)

    assert (found.rows, found.kept, found.rejected, found.repaired, found.flagged) == (10, 7, 3, 1, 2)
    assert [(one.stage, one.rows, one.kept) for one in found.steps] == [("given", 10, 9), ("judge", 9, 7)]
    assert [(one.key, one.count, one.share) for one in found.steps[1].reasons] == [
        ("near_duplicate", 2, round(2 / 9, 6))
    ]
    assert [(one.key, one.count) for one in (*found.repairs, *found.flags)] == [
        ("no_input_marker", 1),
        ("is_question", 2),
    ]
    assert found.kept + found.rejected == found.rows


def test_before_and_after_are_compared(last: StepDirectory) -> None:
    """Categories and first words of what came in and of what was kept."""
    found = collect(last)

    categories = {one.key: (one.before, one.after) for one in found.categories.rows}
    words = {one.key: (one.before, one.after) for one in found.first_words.rows}
    assert categories == {"open_qa": (5, 3), "brainstorming": (1, 1), "": (4, 3)}
    assert words == {"why": (2, 2), "list": (1, 1), "describe": (3, 3), "write": (3, 1), "x": (1, 0)}


def test_lengths_of_kept_and_rejected(last: StepDirectory) -> None:
    """In words, whatever the field was called in the row that came in."""
    response = next(one for one in collect(last).lengths if one.name == "response")

    came, kept, rejected = response.series

    assert (came.name, came.total) == ("came in", 10)
    assert (kept.name, kept.total, rejected.name, rejected.total) == ("kept", 7, "rejected", 3)
    assert rejected.counts[0] == 1
    assert rejected.median == 200


def test_similarity_shows_both_sides_of_the_limit(last: StepDirectory) -> None:
    """What dedupe left about neighbours, by what became of the row, and the setting that decided."""
    found = collect(last).similarity

    assert found is not None
    assert found.threshold == 0.9
    assert [(one.name, one.total) for one in found.series] == [("kept", 7), ("rejected", 2)]


def test_samples_show_both_rows_of_a_duplicate(last: StepDirectory) -> None:
    """The rejected row with field, found and limit; the other row beside it, from the step that kept it."""
    duplicate, empty = collect(last).samples

    assert (duplicate.code, duplicate.count, len(duplicate.rows)) == ("near_duplicate", 2, 2)
    assert [one.text for one in duplicate.rows[0].other] == ["Write 0.", "One two.", "open_qa"]
    assert (empty.rows[0].place, empty.rows[0].reason is not None) == ("a.jsonl:10", True)


def test_the_samples_depend_on_the_seed_alone(last: StepDirectory) -> None:
    """The same seed shows the same rows; another seed others."""
    samples = [collect(last, Look(seed=seed, kept=2)).kept_sample for seed in (1, 1, 2)]

    assert samples[0] == samples[1] != samples[2]


def test_a_broken_chain_is_said(last: StepDirectory) -> None:
    """The page does not pretend to know what came before."""
    shutil.rmtree(last.path.parent / "1-given")

    found = collect(last)

    assert found.gap == "1-given, which was read, no longer stands where it stood"
    assert "The way back ends early: 1-given, which was read" in Seen(report_html(found)).text


def test_review_is_stated_honestly(last: StepDirectory, tmp_path: Path) -> None:
    """No person, or how many records people looked at."""
    lines = sample_lines(last, Draw(n=3))
    lines[0]["decision"] = "accept"
    write_sample(tmp_path / "d.jsonl", lines)
    reviewed = run_stage(Review(decisions=str(tmp_path / "d.jsonl")), last.path, tmp_path / "3-review").step

    before, after = Seen(report_html(collect(last))).text, Seen(report_html(collect(reviewed))).text

    assert "No person has reviewed these records." in before
    assert " ".join(after.split()).count("People looked at 1 of 7 records: 1 accepted, 0 rejected, 0 corrected; 2") == 1


def test_the_page_shows_only_what_is_in_the_json(last: StepDirectory, tmp_path: Path) -> None:
    """The page can be made again from report.json alone."""
    write_report(last, tmp_path / "report.html")

    again: Report = adapter(Report).validate_json((tmp_path / "report.json").read_bytes())

    assert report_html(again) == (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report_json(again) == (tmp_path / "report.json").read_bytes()


def test_no_folder_of_this_machine_is_published(last: StepDirectory, tmp_path: Path) -> None:
    """Inputs and steps are named, not located."""
    write_report(last, tmp_path / "out" / "report.html")

    assert str(tmp_path) not in (tmp_path / "out" / "report.html").read_text()
    assert str(tmp_path) not in (tmp_path / "out" / "report.json").read_text()


def test_every_figure_has_title_description_and_a_table(last: StepDirectory) -> None:
    """A figure that cannot be seen can be read."""
    drawn = {key: figure for key, figure in report_figures(collect(last)).items() if key not in {"models", "verbs"}}
    for key, figure in drawn.items():
        svg = Counter(Seen(str(figure.svg)).tags) if figure else Counter()

        assert svg["title"] == svg["desc"] == 1, key
        assert figure is not None
        assert figure.rows, key
        assert {len(row) for row in figure.rows} == {len(figure.columns)}, key


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    """In every place that a page takes text from: rows, codes, fields, names, scores, settings, sources."""
    rows: list[Outcome] = []
    for text in HOSTILE:
        where = Provenance(source=text, line=1, model=text)
        rows.append(pair(text + " kept", text, text, category=text, provenance=where))
        reason = Reason(code=text, field="response", found=text, limit=text, scores={text: 0.5}, span=(0, 3))
        rows.append(reject(pair(text, text, text, provenance=where), reason, replace(reason, other=rows[0].id)))
        rows.append(Rejection(row={text: text, "n": [text]}, reasons=(reason,), provenance=where))
    step = step_of(tmp_path / "1", rows)

    page = report_html(collect(step, Look(per_reason=99, kept=99), title=HOSTILE[0]))

    assert dangers(page) == []
    seen = " ".join(Seen(page).text.split())
    assert all(" ".join(visible(text).split()) in seen for text in HOSTILE)
    assert not set("\x07\x1b\u202e\u200b\u2066\ufeff\u2028") & set(page)


def test_the_test_of_hostile_text_can_fail() -> None:
    """The probe finds each danger where a page lets it through."""
    missed = [text for text in HOSTILE[:4] if not dangers(f'<p title="{text}">{text}</p>')]

    assert missed == []


def test_a_page_loads_and_runs_nothing(last: StepDirectory) -> None:
    """No script, no source, no link but to itself; a policy that forbids them besides."""
    page = report_html(collect(last))

    assert dangers(page) == []
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_an_empty_step_has_a_page(tmp_path: Path) -> None:
    """Nothing kept, nothing rejected: still a page."""
    page = report_html(collect(step_of(tmp_path / "1", [])))

    assert "0 of 0 rows were kept" in page


@given(st.text(max_size=3000), st.integers(0, 3000), st.integers(0, 100))
def test_an_excerpt_holds_its_span(text: str, start: int, size: int) -> None:
    """What a reason points at is shown, and what is left out is counted."""
    found = excerpt("response", text, (start, start + size))

    assert found.before + len(found.text) + found.after == len(text)
    assert len(found.text) <= MOST
    if size > 0 and start + size <= len(text):
        assert found.span is not None
        assert found.text[slice(*found.span)] == text[start : start + size]


@pytest.mark.parametrize(
    ("instruction", "word"),
    [
        ("Write a poem", "write"),
        ("Could you please list three", "list"),
        ("What's 2 + 2?", "what's"),
        ("1. Explain", "explain"),
        ("???", ""),
        ("日本語で", "日本語で"),
        ("Please", ""),
    ],
)
def test_first_words(instruction: str, word: str) -> None:
    """Past politeness and numbers, in lower case."""
    assert verb_and_object(instruction)[0] == word


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 9), max_size=20))
def test_a_histogram_counts_every_row(lengths: dict[int, int]) -> None:
    """Each value falls in exactly one bin, and the table ends after the longest."""
    found = word_histogram("response", {"kept": Counter(lengths)})

    assert sum(found.series[0].counts) == sum(lengths.values())
    for low, high, count in zip(found.edges, found.edges[1:], found.series[0].counts, strict=False):
        assert count == sum(n for value, n in lengths.items() if low <= value < high)


@given(st.lists(st.floats(-1, 1.0001), min_size=1, max_size=30))
def test_every_cosine_has_a_bin(cosines: list[float]) -> None:
    """Also 1 itself, and what rounding puts a little above."""
    found = similarity_histogram({"kept": Counter(map(similarity_bin, cosines))}, 0.9)

    assert sum(found.series[0].counts) == len(cosines)
    assert found.edges[-1] <= 1


def test_what_is_not_listed_is_counted_together() -> None:
    """A thousand categories do not make a page of a thousand bars."""
    found = compare({f"c{number:03}": 1 for number in range(100)}, {f"c{number:03}": 1 for number in range(50)})

    assert found.others is not None
    assert (found.others.key, found.others.before, found.others.after) == ("80 others", 80, 30)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0.0 %"), (0.0004, "< 0.1 %"), (0.5, "50.0 %"), (0.9996, "> 99.9 %"), (1, "100.0 %")],
)
def test_shares_in_words(share: float, words: str) -> None:
    """Never nothing for something, never all for nearly all."""
    assert percent(share) == words


def test_figures_are_the_same_bytes_each_time() -> None:
    """So that a release of the same data is the same release."""
    data = word_histogram("response", {"kept": Counter({3: 2}), "rejected": Counter({9: 1})})
    caption = Caption("k", "Title", "What it shows")

    drawn = [
        (
            bars(caption, [("kept", "kept")], [Bar(label="a", values=(1,), notes=("1",))], ("", "n")).svg,
            funnel(caption, [Level(label="validate", note="all", rows=3, kept=3)]).svg,
            histogram(caption, data, ["kept", "lost"]).svg,
        )
        for _ in range(2)
    ]

    assert drawn[0] == drawn[1]


def test_the_json_is_for_programs(last: StepDirectory) -> None:
    """Sorted keys, plain types."""
    found = json.loads(report_json(collect(last)))

    assert found["schema"] == "dolly-report-1"
    assert list(found) == sorted(found)


def numbers_in(value: object) -> set[str]:
    """Return every number of the report's JSON in the ways that a figure may write it."""
    found: set[str] = set()
    if isinstance(value, dict):
        return found.union(*map(numbers_in, value.values()))
    if isinstance(value, list):
        return found.union(*map(numbers_in, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return set(NUMBER.findall(value)) if isinstance(value, str) else found
    shares = {percent(value).removesuffix(" %").lstrip("<> "), f"{100 * value:g}"} if 0 <= value <= 1 else set()
    return {f"{value:,}", f"{value:g}", f"{value}", *shares}


NUMBER = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


@pytest.mark.parametrize("decided", [0, 1])
def test_no_figure_shows_a_number_that_is_not_in_the_json(last: StepDirectory, decided: int) -> None:
    """In its table, its drawing, its title or its description."""
    fix_plan(last, Wanted(limit=0.5, c=decided))
    sample = plan_beside(last.path).with_name("sample.jsonl")
    lines = [json.loads(line) for line in sample.read_text().splitlines()]
    lines[0] |= {"decision": "reject", "reasons": ["wrong_answer"]}
    sample.write_text("".join(json.dumps({**line, "decision": line["decision"] or "accept"}) + "\n" for line in lines))
    report = collect(last, title="r", looked=look_beside(last))
    known = numbers_in(json.loads(report_json(report)))

    for key, figure in report_figures(report).items():
        if figure is None:
            continue
        drawn = " ".join([*figure.columns, *(f"{cell}" for row in figure.rows for cell in row), *figure.caption[1:]])
        drawn += " ".join(re.findall(r">([^<]+)<", str(figure.svg)))
        allowed = known | AXES | {f"{edge:g}" for edge in edges(report)}
        assert set(NUMBER.findall(drawn)) <= allowed, key
    assert report.plan is not None


AXES = {"50", "100", "0", str(REASONS_MOST), str(COMPARED_MOST)}
"""What stands at the side of a plot or counts its bars, not what was measured."""


def edges(report: Report) -> set[float]:
    """Return what axes and bins are labelled with: bins end one below the next, a curve's axis has five parts."""
    found = [one for one in (*report.lengths, report.similarity) if one]
    bins = {edge - 1 for one in found for edge in one.edges}
    widest = report.plan.curve[-1].rate if report.plan and report.plan.curve else 0.0
    return bins | {100 * widest * at / 5 for at in range(6)}


def test_the_test_of_numbers_can_fail() -> None:
    """A number that nobody counted is found."""
    assert not set(NUMBER.findall("12,345 rows")) <= numbers_in({"rows": 12346})


def test_an_interactive_page_runs_only_what_is_in_it(tmp_path: Path) -> None:
    """Its policy names the sha256 of each script; nothing is loaded; the charts' numbers are the report's."""
    things = ("poem", "story", "letter", "song", "joke", "speech")
    rows = [pair(f"Write a {thing}, number {n}.") for thing in things for n in range(3)]
    report = collect(step_of(tmp_path / "1", rows), Look(map=True, map_encoder="hashing"), title="r")
    page = report_html(report, interactive=True)

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    shown = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    assert policy
    assert shown
    assert [
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" in policy[1] for one in scripts
    ] == [
        True,
        True,
    ]
    assert "unsafe-eval" not in policy[1]
    found = json.loads(shown[1])
    assert set(found) == {"sankey", "sunburst", "map"}
    assert numbers_in(found) <= numbers_in(json.loads(report_json(report)))
    assert "<script" not in report_html(report)


def test_hostile_text_is_data_in_an_interactive_page(tmp_path: Path) -> None:
    """No text ends the block of JSON that it stands in."""
    rows: list[Outcome] = [pair(text + " </script> x", text) for text in HOSTILE]
    rows += [reject(pair(f"no {text}"), Reason(code=text)) for text in HOSTILE]
    report = collect(step_of(tmp_path / "1", rows), Look(map=True, map_encoder="hashing"))

    page = report_html(report, interactive=True)

    assert page.count("</script>") == 3
    block = page.split('id="charts">')[1].split("</script>")[0]
    assert not set("<>&") & set(block)


def test_a_map_is_the_same_each_time(last: StepDirectory) -> None:
    """And holds kept and rejected rows with their fate."""
    one, other = (collect(last, Look(map=True, map_encoder="hashing"), title="r").map for _ in range(2))

    assert one is not None
    assert one == other
    assert Counter(point.fate for point in one.points) == {"kept": 7, "rejected": 3}
    assert {point.topic for point in one.points} <= set(range(len(one.topics)))


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Write a short story about a dog.", ("write", "story")),
        ("Could you please list the three best ways to cook rice?", ("list", "ways")),
        ("Explain.", ("explain", "")),
        ("", ("", "")),
    ],
)
def test_what_is_asked_for_is_read_by_rule(instruction: str, expected: tuple[str, str]) -> None:
    """The first word, and the first after it that may be an object."""
    assert verb_and_object(instruction) == expected


def calibration(path: Path, of: float | None) -> str:
    """Write what `calibrate apply` writes, as far as a report reads it."""
    share = {"of": of, "low": 0.81, "high": 0.99, "pairs": 40}
    points = [{"threshold": at / 100, "precision": share, "recall": 0.5} for at in range(70, 100)]
    path.write_text(json.dumps({"default": points[0], "points": points}))
    return str(path)


def test_how_often_dedupe_was_right_is_told_where_it_was_measured(last: StepDirectory, tmp_path: Path) -> None:
    """At its own threshold; a share of no pairs is none."""
    told = collect(last, Look(calibration=calibration(tmp_path / "c.json", 0.93)))
    untold = collect(last, Look(calibration=calibration(tmp_path / "c.json", None)))

    figure = report_figures(told)["similarity"]
    assert told.precision is not None
    assert (told.precision.threshold, told.precision.rate, told.precision.pairs) == (0.9, 0.93, 40)
    assert figure is not None
    assert "Of 40 labelled pairs there, 93.0 % were rejected rightly" in figure.caption.description
    assert untold.precision is None


def test_a_calibration_that_is_none_is_refused(last: StepDirectory, tmp_path: Path) -> None:
    """Naming the file."""
    (tmp_path / "c.json").write_text("{}")

    with pytest.raises(InputError, match="calibrate apply"):
        collect(last, Look(calibration=str(tmp_path / "c.json")))
