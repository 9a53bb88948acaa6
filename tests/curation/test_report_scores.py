"""Scores in the report: what is counted, in which bins, what became of the records, and what is only length."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from curation.pipeline import run_stage
from curation.release.build import Release, release
from curation.release.card_scores import scores_part
from curation.report.bins import EACH, edges_of, score_histogram, short
from curation.report.collect import collect
from curation.report.counted import ScoreNumbers
from curation.report.numbers import Report
from curation.report.page import report_html, report_json
from curation.report.score_drawings import score_figures, scores_words
from curation.report.scored import score_numbers
from curation.report.write import write_report
from curation.score.columns import Numbers
from curation.score.file import SCORES
from schemas.chain import walk
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import InstructionRecord, Provenance, Reason, Repair, repaired
from schemas.step import StepDirectory, write_step
from tests.curation.review.watched import serious
from tests.curation.test_report import NUMBER, numbers_in
from tests.hostile import HOSTILE, Seen, dangers
from tests.support import Given, pair

Scored = Mapping[str, float | str]
"""Score by name, or the reason why there is none."""


def records(n: int = 40) -> list[InstructionRecord]:
    """Return records with responses of different lengths."""
    return [pair(f"Say {at} words.", "word " * at) for at in range(1, n + 1)]


def judged(at: int) -> Scored:
    """Return the scores of the record with a response of so many words."""
    free = float(at * 17 % 41)
    return {
        "response_words": float(at),
        "long": at**2 / 7,
        "free": free,
        "broken": free if at % 4 else "judge_unreadable",
    }


def scored(path: Path, rows: Sequence[tuple[InstructionRecord, Scored]], part: int = 0) -> StepDirectory:
    """Write a step whose stage left scores, score by score as scorers do."""

    def outcomes(aside: Aside) -> Iterator[Outcome]:
        for name in dict.fromkeys(name for _, scores in rows for name in scores):
            for record, scores in rows:
                said = scores.get(name, "")
                if said != "":
                    why: dict[str, object] = (
                        {"value": None, "reason": said} if isinstance(said, str) else {"value": said}
                    )
                    aside.leave(SCORES, {"id": record.id, "name": name, **why})
        yield from (record for record, _ in rows)

    return write_step(path, Given(rows=len(rows)), outcomes, aside=SILENT, shard=part)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyShort:
    """A stage that rejects long responses, and mends the shortest one."""

    name: str = "only-short"
    most: int = 25
    """Words."""

    def __call__(self, pool: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield what becomes of each record."""
        for record in pool:
            words = len(record.response.split())
            mended = Repair(code="no_input_marker", field="response", old=record.response, new="Words.")
            if words > self.most:
                yield reject(record, Reason(code="response_too_long"))
            else:
                yield repaired(record, mended) if words == 1 else record


@pytest.fixture
def last(tmp_path: Path) -> StepDirectory:
    """Return the second of two steps: 40 records are scored, the 15 longest are rejected, one is mended."""
    first = scored(tmp_path / "1-score", [(one, judged(at)) for at, one in enumerate(records(), 1)])
    return run_stage(OnlyShort(), first.path, tmp_path / "2-short").step


def numbers_of(step: StepDirectory) -> dict[str, ScoreNumbers]:
    """Return the numbers of each score by its name."""
    return {one.name: one for one in score_numbers(walk(step), seed=1)}


def test_kept_and_rejected_are_held_against_each_other(last: StepDirectory) -> None:
    """By what the last step has; a record that was mended since it was scored is kept."""
    found = numbers_of(last)["response_words"]

    assert found.histogram is not None
    assert [(one.name, one.total, one.median) for one in found.histogram.series] == [
        ("kept", 25, 13.0),
        ("rejected", 15, 33.0),
    ]
    assert (found.step, found.rows, found.looked_at, found.sampled) == ("1-score", 40, 40, False)


def test_of_equal_records_as_many_count_as_there_are(tmp_path: Path) -> None:
    """Two of three were rejected as duplicates: one is kept, though all have one id."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class First:
        name: str = "first"

        def __call__(self, pool: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
            for at, record in enumerate(pool):
                yield reject(record, Reason(code="exact_duplicate")) if at else record

    same = [pair(provenance=Provenance(source="a.jsonl", line=at)) for at in range(3)]
    step = scored(tmp_path / "1", [(one, {"free": 2.0}) for one in same])

    data = numbers_of(run_stage(First(), step.path, tmp_path / "2").step)["free"].histogram

    assert data is not None
    assert [(one.name, one.total) for one in data.series] == [("kept", 1), ("rejected", 2)]


def test_a_step_that_rejected_nothing_since_has_one_group(last: StepDirectory) -> None:
    """The report of the scored step itself, in which all are kept."""
    step = StepDirectory.open(last.path.parent / "1-score")

    data = numbers_of(step)["free"].histogram

    assert data is not None
    assert [(one.name, one.total) for one in data.series] == [("kept", 40)]


def test_the_spread_is_that_of_the_values(last: StepDirectory) -> None:
    """Numpy's quantiles, with four digits."""
    spread = numbers_of(last)["long"].spread

    values = np.array([at**2 / 7 for at in range(1, 41)])
    assert spread is not None
    assert [spread.least, spread.p05, spread.p25, spread.median, spread.p75, spread.p95, spread.most] == [
        short(one) for one in np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    ]


def test_nulls_are_counted_with_their_reasons(tmp_path: Path) -> None:
    """And records of which there is no line at all; no number stands in for one."""
    rows = [(one, judged(at) if at > 5 else {"free": 1.0}) for at, one in enumerate(records(), 1)]

    found = numbers_of(scored(tmp_path / "1", rows))["broken"]

    assert [(one.key, one.count, one.share) for one in found.missing] == [
        ("judge_unreadable", 9, 0.225),
        ("score_missing", 5, 0.125),
    ]
    assert found.missing_share == 0.35
    assert found.histogram is not None
    assert found.histogram.series[0].total == 26


def test_a_score_that_nobody_has_is_still_told(tmp_path: Path) -> None:
    """Without spread and histogram, with its reason."""
    step = scored(tmp_path / "1", [(one, {"ifd_loss_ratio": "too_long_for_the_model"}) for one in records(3)])
    report = collect(step)

    (found,) = report.scores

    assert (found.spread, found.histogram, found.length, found.missing_share) == (None, None, None, 1.0)
    assert "longer than the model can read" in Seen(report_html(report)).text
    assert "| none | none | 100.0 % | not known |" in scores_part(report.scores)


def test_a_score_that_is_length_is_seen_at_a_glance(last: StepDirectory) -> None:
    """In numbers, in the figure's table, strongest first, and in words; one that is not, is not said to be."""
    found, figures = numbers_of(last), score_figures(collect(last))

    assert found["long"].length is not None
    assert found["long"].length.spearman == 1
    assert found["long"].length.said.startswith("is mostly length: 100%")
    assert found["free"].length is not None
    assert found["free"].length.said == ""
    assert found["response_words"].length is None
    related, free = figures["score-length"], figures["score-3"]
    assert related is not None
    assert [row[0] for row in related.rows] == [
        "long",
        *sorted(("broken", "free"), key=lambda one: -strength(found[one])),
    ]
    assert free is not None
    assert "next to nothing" in free.caption.description


def strength(one: ScoreNumbers) -> float:
    """Return how strongly a score goes with length."""
    assert one.length is not None
    return abs(one.length.spearman)


def test_the_latest_step_that_gave_a_score_counts(last: StepDirectory, tmp_path: Path) -> None:
    """Other scores of the step before it stay."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Again:
        name: str = "again"

        def __call__(self, pool: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
            for record in pool:
                aside.leave(SCORES, {"id": record.id, "name": "free", "value": 0.5})
                yield record

    again = run_stage(Again(), last.path, tmp_path / "3-again").step

    found = numbers_of(again)

    assert (found["free"].step, found["free"].looked_at) == ("3-again", 25)
    assert (found["long"].step, found["long"].looked_at) == ("1-score", 40)


@pytest.mark.parametrize("most", [1000, 16])
def test_the_order_of_records_decides_nothing(tmp_path: Path, most: int) -> None:
    """Nor how their files are cut, whether all are looked at or a sample."""
    rows = [(one, judged(at)) for at, one in enumerate(records(), 1)]

    one = score_numbers(walk(scored(tmp_path / "a" / "1", rows)), 1, most)
    other = score_numbers(walk(scored(tmp_path / "b" / "1", rows[::-1], part=7)), 1, most)

    assert one == other
    assert {(found.sampled, found.looked_at) for found in one} == {(most == 16, min(most, 40))}


def test_a_sample_is_like_the_whole_and_says_so(tmp_path: Path) -> None:
    """Of a thousand records four hundred: quantiles are near, memory is that of the sample; another seed, another."""
    chain = walk(scored(tmp_path / "1", [(one, {"free": float(at)}) for at, one in enumerate(records(1000), 1)]))

    (one,), (other,) = score_numbers(chain, 1, 400), score_numbers(chain, 2, 400)

    assert one.spread is not None
    assert one.spread.median == pytest.approx(500, abs=60)
    assert one.spread.p95 == pytest.approx(950, abs=30)
    assert (one.rows, one.looked_at, one.sampled) == (1000, 400, True)
    assert one.spread != other.spread
    page = report_html(replace(collect(chain.last), scores=(one,)))
    assert "A step of more than 400 records is shown by as many" in Seen(page).text


floats = st.floats(allow_nan=False, allow_infinity=False)
values_of_all_kinds = st.one_of(
    st.lists(floats, min_size=1, max_size=60),
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.tuples(st.floats(1, 1e9), st.integers(1, 30)).map(lambda drawn: [drawn[0]] * drawn[1]),
)


@given(values_of_all_kinds)
@example([1.9])
@example([1e300, -1e300, 5e-324, 1e-320])
@example([0.1, 0.3, 0.7])
def test_every_value_has_a_bin(some: list[float]) -> None:
    """Edges rise, there are few of them, and what a bin counts lies in it: huge, tiny, equal or whole numbers."""
    values = np.clip(np.array(some, np.float64), -1e300, 1e300)

    found = score_histogram("s", {"kept": values}, None)

    assert list(found.edges) == sorted(set(found.edges))
    assert len(found.edges) <= 66
    assert sum(found.series[0].counts) == len(values)
    assert_within(values, found.edges, found.series[0].counts)


def assert_within(values: Numbers, edges: Sequence[float], counts: Sequence[int]) -> None:
    """See to it that bins hold what lies between their edges, but for the rounding of an edge."""
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        reach = 1e-9 * max(abs(low), abs(high))
        inside = np.sum((values >= low + reach) & (values < high - reach))
        around = np.sum((values >= low - reach) & (values <= high + reach))
        assert inside <= count <= around


def test_ratings_have_a_bin_each() -> None:
    """Whole numbers of which there are few."""
    assert edges_of(np.array([1.0, 3.0, 6.0])) == (1, 2, 3, 4, 5, 6, 7)
    assert len(edges_of(np.arange(float(EACH)))) == EACH + 1


def test_counts_over_magnitudes_have_the_axis_of_lengths() -> None:
    """It begins where they do."""
    assert edges_of(np.array([5.0, 40.0, 70.0])) == (4, 6, 8, 11, 16, 23, 32, 45, 64, 91)


def test_equal_bins_are_round_and_outliers_stand_outside() -> None:
    """A thousand values between 0 and 1 and one far off: twenty bins and an outer one, not one bin and nothing."""
    values = np.append(np.arange(1000) / 1000, 87.33)

    edges = edges_of(values)

    assert edges == (*(round(0.05 * at, 2) for at in range(21)), 87.35)


def test_a_bin_of_fractions_is_not_named_like_one_of_whole_numbers() -> None:
    """From 0 to 2 stands 1.5, too; of counts 0 to 1 is all."""
    fractions = score_histogram("s", {"kept": np.linspace(0.5, 39.5, 400)}, None)
    ratings = score_histogram("s", {"kept": np.array([1.0, 2.0])}, None)

    assert [one.whole for one in (fractions, ratings)] == [False, True]


def test_scores_are_in_page_json_and_card(last: StepDirectory) -> None:
    """Every score by its name, with its nulls and what it has to do with length."""
    report = collect(last)
    page, card = Seen(report_html(report)).text, scores_part(report.scores)

    assert [one["name"] for one in json.loads(report_json(report))["scores"]] == list(judged(1))
    assert "Is it only length?" in page
    assert "Median 20.5, half between" in page
    assert "25.0 % have none: 10 judge unreadable." in page
    assert "| `long` | 40 | 60.07 |" in card
    assert "- `long` is mostly length: 100% of its ranking is that, the longer the higher." in card


def test_the_card_and_the_report_of_a_release_have_them(last: StepDirectory, tmp_path: Path) -> None:
    """Those of the steps that led to it."""
    release(last, tmp_path / "rel", Release())

    assert "\n### Scores\n" in (tmp_path / "rel" / "README.md").read_text()
    assert 'id="scores"' in (tmp_path / "rel" / "report" / "report.html").read_text()


def test_bars_that_hold_what_lies_beyond_are_told(tmp_path: Path) -> None:
    """Where they stand for more than their neighbours do; not on the axis of lengths, whose bars widen."""
    told = []
    for name, scores in {"far": [*(at / 400 for at in range(399)), 61.7], "words": range(400)}.items():
        rows = [(one, {name: float(score)}) for one, score in zip(records(400), scores, strict=True)]
        told.append(scores_words(collect(scored(tmp_path / name, rows))))

    assert ["the bars at the ends hold what lies beyond" in one for one in told] == [True, False]


def test_a_bin_of_one_whole_number_is_named_in_its_middle(tmp_path: Path) -> None:
    """A rating of 4 stands under its bar, not where the bar begins."""
    rows = [(one, {"judge_quality": float(4 + at % 2)}) for at, one in enumerate(records())]

    figure = score_figures(collect(scored(tmp_path / "1", rows)))["score-1"]

    assert figure is not None
    assert 'class="tick middle" x="25.000%" y="214">4<' in str(figure.svg)


def test_without_scores_nothing_is_said_of_them(tmp_path: Path) -> None:
    """No section, no figure but None, no table in the card."""
    report = collect(scored(tmp_path / "1", [(one, {}) for one in records(3)]))

    assert report.scores == ()
    assert 'id="scores"' not in report_html(report)
    assert scores_part(report.scores) == ""


def test_no_figure_of_scores_shows_a_number_that_is_not_in_the_json(last: StepDirectory) -> None:
    """But for the axis from -1 to 1, and how sure an interval is."""
    report = collect(last, title="r")
    known = {found.lstrip("-") for found in numbers_in(json.loads(report_json(report)))}
    known |= {"95", "100", "50", "0", "0.5", "1"}
    known |= {f"{edge - 1:g}" for one in report.scores if one.histogram for edge in one.histogram.edges}

    for key, figure in score_figures(report).items():
        assert figure is not None
        drawn = " ".join([*figure.columns, *(f"{cell}" for row in figure.rows for cell in row), *figure.caption[1:]])
        drawn += unescape(" ".join(re.findall(r">([^<]+)<", str(figure.svg))))
        strange = set(NUMBER.findall(drawn)) - known
        assert not strange, (key, strange)
        assert {len(row) for row in figure.rows} == {len(figure.columns)}, key


def test_a_limit_is_drawn_where_it_falls_in_its_bin(tmp_path: Path) -> None:
    """Of IFD at 1, though an outer bin is wider than the others."""
    values = [*(0.5 + at / 400 for at in range(399)), 61.7]
    step = scored(tmp_path / "1", [(one, {"ifd_loss_ratio": v}) for one, v in zip(records(400), values, strict=True)])
    report = collect(step)

    figure, data = score_figures(report)["score-1"], report.scores[0].histogram

    assert figure is not None
    assert data is not None
    assert data.threshold == 1
    assert data.edges[-1] > 61
    at = 100 * data.edges.index(1.0) / (len(data.edges) - 1)
    assert f'class="limit" x1="{at:.3f}%"' in str(figure.svg)


def hostile_report(tmp_path: Path) -> Report:
    """Return a report whose scores are called what tries to be more than text."""
    rows = [
        (one, {name: float(at % 7) if at % 5 else name for name in HOSTILE}) for at, one in enumerate(records(20), 1)
    ]
    return collect(scored(tmp_path / "1", rows))


def test_hostile_names_and_reasons_are_only_text(tmp_path: Path) -> None:
    """On the page and in the card."""
    report = hostile_report(tmp_path)

    page, card = report_html(report), scores_part(report.scores)

    assert dangers(page) == []
    assert not set("\x07\x1b\u202e\u200b\u2066\ufeff\u2028") & set(page + card)
    lines = card.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert [line for line in lines if line.startswith("#")] == ["### Scores"]
    assert len(rows) == 2 + len(HOSTILE)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    assert not re.search(r"(?<!\\)<", re.sub(r"(`+).*?\1", "", card))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_scores_fit_any_screen(browser: Browser, last: StepDirectory, width: int, scheme: str) -> None:
    """Nothing is wider than the screen, no text leaves its figure, and axe is content."""
    page_file = last.path.parent / "report.html"
    write_report(last, page_file)
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="light" if scheme == "light" else "dark"
    )
    page = context.new_page()

    page.goto(page_file.as_uri())

    assert page.locator("#scores svg.figure").count() == 6
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OUTSIDE) == []
    assert serious(page) == []
    context.close()


OUTSIDE = """
[...document.querySelectorAll("#scores svg.figure text")].filter((one) => {
  const text = one.getBoundingClientRect(), figure = one.closest("svg.figure").getBoundingClientRect();
  return text.left < figure.left - 1 || text.right > figure.right + 1;
}).map((one) => one.textContent)
"""
"""The texts that stand outside their figure."""
