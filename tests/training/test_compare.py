"""Models side by side: the numbers, the page, and hostile text that stays text."""

import json
import math
from html.parser import HTMLParser
from pathlib import Path

import pytest

from schemas.errors import DollyError, InputError
from tests.support import pair, step_of
from training import compare as module
from training.compare import Comparison, ModelResult, compare, repetition, response_only
from training.encoding import IGNORED
from training.page import comparison_html, visible, write_page
from training.questions import find_prompts, read_held_out, read_questions
from training.respond import Answer, Prompt, Question, Sampling, open_responder

GREEDY = Sampling(greedy=True, max_new_tokens=12)
HOSTILE = "</pre><script>alert(1)</script>{{ 7*7 }}\u202e<img src=x onerror=alert(1)>\x1b[2J"


class Tags(HTMLParser):
    """Collects the tags, attributes and visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data


def read(page: str) -> Tags:
    """Return what a page consists of."""
    tags = Tags()
    tags.feed(page)
    return tags


def hostile_comparison() -> Comparison:
    """Return a comparison in which every text is an attack."""
    result = ModelResult(
        name=HOSTILE,
        tuned=True,
        template="dolly-v1",
        answers=(Answer(HOSTILE, stopped=True, tokens=3),),
        stop_rate=1.0,
        mean_words=3.0,
        repetition=0.0,
        held_out=None,
    )
    question = Question(title=HOSTILE, category=HOSTILE, prompt=Prompt(HOSTILE, HOSTILE))
    return Comparison(
        questions=(question,), results=(result,), sampling=GREEDY, prompts_sha256="0" * 64, held_out="", version="1"
    )


def test_tuned_and_untuned_are_compared(tmp_path: Path, tiny: Path, tuned: Path) -> None:
    """The tuned model stops, the other does not; the tuned one's loss on what it learned is lower."""
    held_out = step_of(tmp_path / "held", [pair("Name colour 3.", "Red.")]).path
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"instruction": "Name colour 3."}\n{"instruction": "Name colour 5.", "title": "Five"}\n')

    compared = compare([str(tiny), str(tuned)], prompts, sampling=GREEDY, held_out=held_out)

    base, after = compared.results
    assert (base.tuned, after.tuned) == (False, True)
    assert (base.stop_rate, after.stop_rate) == (0.0, 1.0)
    assert [one.text for one in after.answers] == ["Red.", "Red."]
    assert after.mean_words == 1.0
    assert base.held_out is not None
    assert after.held_out is not None
    assert after.held_out.nats_per_token < base.held_out.nats_per_token
    assert [one.title for one in compared.questions] == ["Name colour 3.", "Five"]


def test_a_missing_model_is_refused_before_any_is_loaded(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after the first has answered everything."""
    monkeypatch.setattr(module, "open_responder", None)

    with pytest.raises(InputError, match="nowhere"):
        compare([str(tiny), "./nowhere"], find_prompts("announcement"), sampling=GREEDY)


def test_the_held_out_loss_is_that_of_the_response_alone(tiny: Path) -> None:
    """Computed here a second time, token by token."""
    encode = open_responder(str(tiny)).encoder
    (example,) = response_only(encode, [pair("Add.", "five é", "two")])
    learned = [label for label in example.labels if label != IGNORED]

    assert encode.tokenizer.decode(learned) == "five é"


def test_nats_per_byte_are_nats_per_token_spread_over_the_bytes(tmp_path: Path, tiny: Path) -> None:
    """An untrained model is near chance."""
    held_out = step_of(tmp_path / "held", [pair("Add.", "five é")]).path

    compared = compare([str(tiny)], find_prompts("announcement"), sampling=GREEDY, held_out=held_out)

    loss = compared.results[0].held_out
    assert loss is not None
    assert loss.nats_per_token == pytest.approx(math.log(420), rel=0.05)
    assert loss.nats_per_byte == pytest.approx(loss.nats_per_token * loss.tokens / len("five é".encode()))


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        ([""], 0.0),
        (["a b c"], 0.0),
        (["a b c d"], 0.0),
        (["a b c d a b c d"], 1 / 5),
        (["x x x x x x"], 2 / 3),
        (["a b c d", "a b c d"], 0.0),
    ],
)
def test_repetition_is_the_share_of_runs_seen_before(texts: list[str], share: float) -> None:
    """Within one answer, by four words."""
    assert repetition(texts) == pytest.approx(share)


def test_the_announcements_prompts_come_along() -> None:
    """Dolly's five: a tweet, an advertisement, a love letter, fission and fusion, five books."""
    questions = read_questions(find_prompts("announcement"))

    asked = " ".join(one.prompt.instruction for one in questions)
    assert len(questions) == 5
    assert all(word in asked for word in ("Dolly", "Nikon D750", "Edgar Allan Poe", "fusion", "science-fiction"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"prompts\.jsonl:1: expected a JSON object"),
        ("[1]", "found list"),
        ('{"prompt": "Hi."}', "instruction: expected a text"),
        ('{"instruction": 5}', "found int"),
        ("", "at least one prompt"),
    ],
)
def test_a_wrong_prompt_is_refused(tmp_path: Path, line: str, message: str) -> None:
    """Naming the line, before a model is loaded."""
    path = tmp_path / "prompts.jsonl"
    path.write_text(line + "\n")

    with pytest.raises(InputError, match=message):
        read_questions(path)


def test_an_unknown_prompt_set_is_refused() -> None:
    """Naming those that come along."""
    with pytest.raises(InputError, match="announcement"):
        find_prompts("proclamation")


def test_held_out_records_may_be_foreign_rows(tmp_path: Path) -> None:
    """In any format that is known; a row that is none is named."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"instruction": "Add.", "input": "two and three", "output": "5"}\n{"text": "no"}\n')

    with pytest.raises(InputError, match=r"rows\.jsonl:2"):
        read_held_out(path)
    path.write_text(path.read_text().splitlines()[0])
    assert [one.response for one in read_held_out(path)] == ["5"]


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    """One file: no script, no reference to anything outside it."""
    page = read(comparison_html(hostile_comparison()))

    assert not set(page.tags) & {"script", "img", "iframe", "link", "object", "form"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "onerror", "onload", "onclick"}


def test_hostile_text_is_shown_as_it_was_written() -> None:
    """Markup, template syntax, text that turns the direction or moves a cursor."""
    html = comparison_html(hostile_comparison())

    page = read(html)
    shown = HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\x1b", "⟨U+001B⟩")
    assert page.text.count(shown) >= 5
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_the_numbers_stand_beside_the_page(tmp_path: Path) -> None:
    """In JSON, the same as on the page."""
    write_page(hostile_comparison(), tmp_path / "new" / "page.html")

    numbers = json.loads((tmp_path / "new" / "page.json").read_text())
    assert numbers["results"][0]["stop_rate"] == 1.0
    assert numbers["results"][0]["answers"][0]["text"] == HOSTILE
    assert "100%" in (tmp_path / "new" / "page.html").read_text()


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Naming it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DollyError, match=r"page\.html"):
        write_page(hostile_comparison(), tmp_path / "file" / "page.html")


def test_visible_leaves_ordinary_text_alone() -> None:
    """Letters of any script, emoji, line breaks and tabs."""
    text = "Größe 日本 مرحبا 🙂\n\tx"

    assert visible(text) == text
