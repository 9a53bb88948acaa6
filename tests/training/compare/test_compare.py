"""Models side by side: the numbers, the page, and hostile text that stays text."""

import json
import math
from html.parser import HTMLParser
from pathlib import Path

import pytest

from schemas.errors import DollyError, InputError
from tests.support import pair, step_of
from tests.training.tiny import save_tiny
from training.answers.questions import find_prompts, read_held_out, read_questions
from training.answers.respond import Answer, Prompt, Question, Sampling, open_responder
from training.compare import participants as module
from training.compare.compare import compare
from training.compare.comparison import Comparison, Lengths, ModelResult
from training.compare.heldout import response_only
from training.compare.intervals import Estimate
from training.compare.measures import Numbers
from training.compare.page import comparison_html, write_page
from training.markup import visible
from training.records.encoding import IGNORED
from training.show.compare import comparison_text

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
        kind="tuned",
        template="dolly-v1",
        answers=(Answer(HOSTILE, stopped=True, tokens=3),),
        numbers={
            "stopped": Numbers(overall=Estimate(1.0, 0.2, 1.0, 1), by_category={HOSTILE: Estimate(1.0, 0.2, 1.0, 1)})
        },
        constraints={},
        lengths=Lengths(low=3, median=3, high=3, most=3),
    )
    question = Question(title=HOSTILE, category=HOSTILE, prompt=Prompt(HOSTILE, HOSTILE), answers=(HOSTILE,))
    return Comparison(
        questions=(question,),
        results=(result,),
        differences=(),
        sampling=GREEDY,
        prompts=HOSTILE,
        prompts_sha256="0" * 64,
        held_out="",
        held_out_records=0,
        one_tokenizer=True,
        version="1",
    )


def value(result: ModelResult, measure: str) -> float:
    """Return a measure of a model."""
    found = result.numbers[measure].overall
    assert found is not None
    return found.value


def test_tuned_and_untuned_are_compared(tmp_path: Path, tiny: Path, tuned: Path) -> None:
    """The tuned model stops, the other does not; the tuned one's loss on what it learned is lower."""
    held_out = step_of(tmp_path / "held", [pair("Name colour 3.", "Red.")]).path
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"instruction": "Name colour 3."}\n{"instruction": "Name colour 5.", "title": "Five"}\n')

    compared = compare([str(tiny), str(tuned)], prompts, sampling=GREEDY, held_out=held_out)

    base, after = compared.results
    assert (base.tuned, after.tuned) == (False, True)
    assert (value(base, "stopped"), value(after, "stopped")) == (0.0, 1.0)
    assert [one.text for one in after.answers] == ["Red.", "Red."]
    assert value(after, "words") == 1.0
    assert value(after, "nats_per_token") < value(base, "nats_per_token")

    assert after.provenance is not None
    assert (after.provenance.records, after.provenance.problem) == (8, "")
    assert base.provenance is None
    assert [one.title for one in compared.questions] == ["Name colour 3.", "Five"]


def test_a_missing_model_is_refused_before_any_is_loaded(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after the first has answered everything."""
    monkeypatch.setattr(module, "open_responder", None)  # would fail, were it called

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

    (result,) = compared.results
    tokens = len(open_responder(str(tiny)).encoder.tokenizer("five é", add_special_tokens=False)["input_ids"])
    assert value(result, "nats_per_token") == pytest.approx(math.log(420), rel=0.05)
    assert value(result, "nats_per_byte") == pytest.approx(
        value(result, "nats_per_token") * tokens / len("five é".encode())
    )


def test_what_was_held_out_and_trained_on_is_said(tmp_path: Path, tuned: Path, tiny: Path, colours: Path) -> None:
    """The loss on records that a model knows says little."""
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"instruction": "Name colour 3."}\n')

    compared = compare([str(tiny), str(tuned)], prompts, sampling=GREEDY, held_out=colours)

    after = compared.results[1]
    assert after.provenance is not None
    assert after.provenance.leaked == 8
    assert "8 of the held-out records" in comparison_html(compared)


def test_a_held_out_record_that_is_too_long_for_one_model_is_left_out_for_all(tmp_path: Path) -> None:
    """GPT-2 has no position for it, the other reads it; the number of such records is said."""
    short = save_tiny(tmp_path / "short", "gpt2")
    roomy = save_tiny(tmp_path / "roomy", max_position_embeddings=2048)
    held_out = step_of(tmp_path / "held", [pair("Add.", "five"), pair("Say more.", "word " * 200)]).path
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"instruction": "Name colour 3."}\n')

    compared = compare([str(roomy), str(short)], prompts, sampling=GREEDY, held_out=held_out)

    found = [one.numbers["nats_per_byte"].overall for one in compared.results]
    assert [one.units for one in found if one] == [1, 1]
    assert (compared.held_out_records, compared.held_out_left_out, compared.one_tokenizer) == (2, 1, True)
    assert "1 are too long for one of the models" in comparison_html(compared)
    assert "1 of 2 held-out records are too long for one of the models" in comparison_text(compared, Path("page.html"))


def test_the_same_model_twice_is_refused(tiny: Path) -> None:
    """Nobody could tell which is which."""
    with pytest.raises(InputError, match="each model once"):
        compare([str(tiny), str(tiny)], find_prompts("announcement"), sampling=GREEDY)


def test_nothing_to_ask_is_refused() -> None:
    """Neither a model nor an endpoint."""
    with pytest.raises(InputError, match="a model, or --endpoint"):
        compare([], find_prompts("announcement"), sampling=GREEDY)


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
        ('{"instruction": "Hi.", "constraints": {}}', "constraints: expected a list"),
        ('{"instruction": "Hi.", "constraints": [{"kind": "rhyme"}]}', "a kind of items"),
        ('{"instruction": "Hi.", "answers": [5]}', "answers: expected a text"),
        ('{"instruction": "Hi.", "id": "a"}\n{"instruction": "Ho.", "id": "a"}', "each once"),
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
    assert page.text.count(shown) >= 8
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_the_numbers_stand_beside_the_page(tmp_path: Path) -> None:
    """In JSON, the same as on the page."""
    write_page(hostile_comparison(), tmp_path / "new" / "page.html")

    numbers = json.loads((tmp_path / "new" / "page.json").read_text())
    assert numbers["results"][0]["numbers"]["stopped"]["overall"]["value"] == 1.0
    assert numbers["results"][0]["answers"][0]["text"] == HOSTILE
    assert "100%" in (tmp_path / "new" / "page.html").read_text()


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Naming it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DollyError, match=r"page\.json"):
        write_page(hostile_comparison(), tmp_path / "file" / "page.html")


def test_visible_leaves_ordinary_text_alone() -> None:
    """Letters of any script, emoji, line breaks and tabs."""
    text = "Größe 日本 مرحبا 🙂\n\tx"

    assert visible(text) == text
