"""Steps take the recipe's records; micro-batches change the padding and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from training.records.batching import micro_batches, order, steps
from training.records.encoding import IGNORED, Example

PAD = 7


def example(number: int, prompt: int, response: int) -> Example:
    """Return an example of `prompt` and `response` tokens, all of them `number`."""
    ids = (number,) * (prompt + response)
    return Example(str(number), ids, (IGNORED,) * prompt + ids[prompt:])


lengths = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=20)
examples = lengths.map(lambda pairs: [example(number, *pair) for number, pair in enumerate(pairs)])


@given(examples, st.integers(1, 100))
def test_micro_batches_hold_every_example_once(step: list[Example], budget: int) -> None:
    """Ids, mask and labels of each example survive, padding apart."""
    rows = []
    for batch in micro_batches(step, tokens=budget, pad_id=PAD):
        for ids, mask, labels in zip(batch.input_ids, batch.attention_mask, batch.labels, strict=True):
            real = int(mask.sum())
            assert (ids[real:] == PAD).all()
            assert (labels[real:] == IGNORED).all()
            rows.append((tuple(ids[:real].tolist()), tuple(labels[:real].tolist())))

    assert sorted(rows) == sorted((one.input_ids, one.labels) for one in step)


@given(examples, st.integers(1, 100))
def test_micro_batches_keep_to_the_budget(step: list[Example], budget: int) -> None:
    """Unless a single record is longer."""
    for batch in micro_batches(step, tokens=budget, pad_id=PAD):
        assert batch.padded_tokens <= budget or batch.input_ids.shape[0] == 1


@given(examples, st.integers(1, 100))
def test_the_longest_come_first(step: list[Example], budget: int) -> None:
    """So that memory runs out at once or not at all."""
    widths = [batch.input_ids.shape[1] for batch in micro_batches(step, tokens=budget, pad_id=PAD)]

    assert widths == sorted(widths, reverse=True)


@given(examples, st.integers(1, 8), st.integers(1, 3), st.integers())
def test_every_epoch_takes_every_record_once(data: list[Example], rows: int, epochs: int, seed: int) -> None:
    """In steps of the recipe's size; the last of an epoch takes what is left."""
    taken = list(steps(data, rows=rows, epochs=epochs, seed=seed))

    each = -(-len(data) // rows)
    assert len(taken) == epochs * each
    for epoch in range(epochs):
        part = taken[epoch * each : (epoch + 1) * each]
        assert {len(step) for step in part[:-1]} <= {rows}
        assert sorted(one.id for step in part for one in step) == sorted(one.id for one in data)


def test_the_order_is_the_seeds() -> None:
    """Equal seeds and epochs, equal order; another epoch, another order."""
    assert order(50, 1, 0) == order(50, 1, 0)
    assert order(50, 1, 0) != order(50, 1, 1)
    assert order(50, 1, 0) != order(50, 2, 0)


def test_the_order_is_this_one() -> None:
    """Written down, because a run on another machine or version must take the same."""
    assert order(8, 42, 0) == [6, 3, 0, 7, 4, 1, 2, 5]
