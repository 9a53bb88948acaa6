"""A look at a model leaves no trace, is over the right records, and is spaced by its own cost."""

from collections import Counter
from contextlib import nullcontext

import pytest
import torch

from schemas.prompt import TEMPLATES
from tests.support import pair
from tests.training.plain import mean_loss
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.model.load import make_room
from training.records.encoding import add_keys, encoder
from training.watch.evaluation import (
    FEWEST,
    NONE,
    OTHER,
    Examiner,
    by_category,
    examiner,
    fixed_questions,
    is_due,
)

RECORDS = [
    *(pair(f"Name colour {at}.", "Red." * (at + 1), category="open_qa") for at in range(10)),
    *(pair(f"Name town {at}.", "Rome." * (at + 1), category="chat") for at in range(12)),
    *(pair(f"Name river {at}.", "Po.", category="rewriting") for at in range(3)),
    *(pair(f"Name hill {at}.", "Etna.") for at in range(2)),
]
KINDS = ("brainstorming", "classification", "information_extraction", "generation", "summarization", "rewriting",
         "closed_qa", "open_qa", "chat")  # fmt: skip


def look(kind: str = "gpt2", sample_tokens: int = 6, context: int = 1024) -> Examiner:
    """Return an examiner of a tiny model, which draws random numbers in training, over all records."""
    tokenizer, template = tiny_tokenizer(), TEMPLATES["dolly-v1"]
    known = len(tokenizer)
    add_keys(tokenizer, template)
    model = tiny_model(kind, **({"n_positions": context} if kind == "gpt2" else {"max_position_embeddings": context}))
    make_room(model, tokenizer, known)
    encode = encoder(tokenizer, template)
    groups = by_category(list(encode.examples(RECORDS)), RECORDS)
    return examiner(model, encode, groups, tokens=200, sample_tokens=sample_tokens)


def test_small_categories_are_measured_together() -> None:
    """The largest first; each record once."""
    groups = look().groups

    assert {name: len(group) for name, group in groups.items()} == {"chat": 12, "open_qa": 10, OTHER: 5}
    assert Counter(one.id for group in groups.values() for one in group) == Counter(one.id for one in RECORDS)


def test_one_small_category_keeps_its_name() -> None:
    """There is nothing to put it together with; records without one are called so."""
    tokenizer = tiny_tokenizer()
    records = [*RECORDS[:FEWEST], *RECORDS[-2:]]

    groups = by_category(list(encoder(tokenizer, TEMPLATES["alpaca"]).examples(records)), records)

    assert list(groups) == ["open_qa", NONE]


def test_the_loss_is_that_of_all_records_and_of_each_category() -> None:
    """The whole is the categories' mean by tokens."""
    one = look(sample_tokens=0)
    model, pad = one.responder.model, one.responder.pad_id

    seen, samples = one(3)

    everything = [example for group in one.groups.values() for example in group]
    assert seen.loss == pytest.approx(mean_loss(model, everything, pad_id=pad, tokens=200), rel=1e-5)
    assert seen.tokens == sum(example.supervised for example in everything)
    for found in seen.categories:
        group = one.groups[found.category]
        assert found.loss == pytest.approx(mean_loss(model, group, pad_id=pad, tokens=200))
        assert (found.records, found.tokens) == (len(group), sum(example.supervised for example in group))
    assert (seen.stop_rate, seen.answers, samples) == (None, 0, [])


def test_every_kind_of_prompt_is_asked() -> None:
    """One of each of InstructGPT's kinds, and the announcement's five."""
    questions = fixed_questions()

    assert [one.category for one in questions[:9]] == list(KINDS)
    assert len(questions) == 14
    assert len({one.title for one in questions}) == 14


def test_answers_are_samples() -> None:
    """Each with what was asked and whether it ended by itself; the stop rate is their share."""
    seen, samples = look()(7)

    assert [one.title for one in samples] == [one.title for one in fixed_questions()]
    assert {one.step for one in samples} == {7}
    assert seen.answers == 14
    assert seen.stop_rate == sum(one.stopped for one in samples) / 14
    assert all(one.tokens == 6 for one in samples if not one.stopped)


def test_a_model_that_always_ends_at_once_has_a_stop_rate_of_1() -> None:
    """And one that never does, of 0."""
    rates = []
    for sign in (1, -1):
        one = look("llama")
        head = one.responder.model.get_output_embeddings()
        with torch.no_grad():
            head.weight.zero_()
        head.bias = torch.nn.Parameter(torch.zeros(head.weight.shape[0]))
        head.bias.data[one.responder.encoder.end_id] = sign
        rates.append(one(1)[0].stop_rate)

    assert rates == [1.0, 0.0]


def test_prompts_that_leave_no_room_are_not_asked() -> None:
    """Rather than failing after the model was trained."""
    questions = look(context=200).questions

    assert 0 < len(questions) < 14


@pytest.mark.parametrize("training", [True, False])
def test_a_look_leaves_no_trace(*, training: bool) -> None:
    """Weights, mode, gradients and the next random number are as if nobody had looked."""
    one = look()
    model = one.responder.model.train(training)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    one(1)

    assert torch.equal(torch.rand(3), expected)
    assert all(part.training == training for part in model.modules())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_the_test_of_traces_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that care a look moves the generator and leaves the model in another mode."""
    monkeypatch.setattr("training.watch.evaluation.undisturbed", nullcontext)
    one = look()
    model = one.responder.model.train()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    one(1)

    assert model.training
    assert not torch.equal(torch.rand(3), expected)


def test_a_look_is_due_when_it_is_paid_for() -> None:
    """At 5 %, a look of 2 s comes after 38 s of training, and only if 38 s are left to pay for the last one."""
    assert is_due(0.05, 2.0, 38.1, 100.0)
    assert not is_due(0.05, 2.0, 37.9, 100.0)
    assert not is_due(0.05, 2.0, 50.0, 30.0)
    assert not is_due(0.0, 2.0, 1e9, 1e9)
    assert is_due(1.0, 2.0, 0.0, 0.0)
