"""Losses of many texts: what they begin with alike is read once, and each form of a template stands by itself."""

from typing import Any

import pytest

from schemas.losses import LEAST_ALIKE, Text, losses_of
from schemas.prompt import TEMPLATES
from tests.support import pair
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.records.encoding import encoder
from training.records.losses import record_losses

PLAIN = [pair(f"Name colour {number}.", "Red, green and blue.") for number in range(LEAST_ALIKE)]
ABOUT = [pair(f"Sum up {number}.", "The garden grows.", context=f"garden {number}") for number in range(LEAST_ALIKE)]


def test_each_form_of_a_template_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts with a context and without begin alike for a few tokens; each form begins alike for many."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(vocabulary=len(tokenizer))
    mixed = [one for both in zip(PLAIN, ABOUT, strict=True) for one in both]
    examples = list(encoder(tokenizer, TEMPLATES["alpaca"]).examples(mixed))
    single = [record_losses(model, [one], tokens=1)[0] for one in examples]
    computed: list[int] = []
    forward = model.base_model.forward

    def seen(**given: Any) -> Any:
        computed.append(given["input_ids"].numel())
        return forward(**given)

    monkeypatch.setattr(model.base_model, "forward", seen)
    together = record_losses(model, examples, tokens=2000)

    assert together == pytest.approx(single, abs=1e-3)
    assert sum(computed) < sum(len(one.input_ids) for one in examples) / 2


def test_few_texts_that_begin_alike_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of its own would cost more than it spares."""
    model = tiny_model()
    texts = [Text((1, 2, *(5,) * 20, number), (7,)) for number in range(LEAST_ALIKE - 1)]
    texts += [Text((1, 2, *(6,) * 20, number), (7,)) for number in range(LEAST_ALIKE - 1)]
    rows: list[int] = []
    forward = model.base_model.forward

    def seen(**given: Any) -> Any:
        rows.append(len(given["input_ids"]))
        return forward(**given)

    monkeypatch.setattr(model.base_model, "forward", seen)
    losses_of(model, 100_000).means(texts)

    assert max(rows) == len(texts)
