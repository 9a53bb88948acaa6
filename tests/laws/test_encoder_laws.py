"""What every encoder in `ENCODERS` obeys, whatever the texts."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.embedding import ENCODERS
from curation.embedding.encoder import Encoder, Vectors
from schemas.errors import InputError
from tests.support import texts

CLOSE = 1e-6

few_texts = st.lists(texts, min_size=1, max_size=5)
slow = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each encoder in turn, in the precision that decides; skip, saying so, one whose packages are not installed."""
    try:
        return ENCODERS[request.param]("fp32")
    except InputError as error:
        pytest.skip(str(error))


def singly(encoder: Encoder, some: Sequence[str]) -> Vectors:
    """Encode one text at a time."""
    return np.concatenate([encoder.encode([text]) for text in some])


@slow
@given(some=few_texts)
def test_rows_are_unit_vectors_and_those_of_empty_texts_are_zero(encoder: Encoder, some: list[str]) -> None:
    """So a dot product is a cosine, and nothing is like an empty text."""
    found = encoder.encode(some)

    lengths = [1.0 if text.strip() else 0.0 for text in some]
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(lengths, abs=CLOSE)


@slow
@given(some=few_texts)
def test_a_row_depends_on_its_own_text_alone(encoder: Encoder, some: list[str]) -> None:
    """All at once, one by one or backwards: the same rows, in the order of the texts."""
    found = encoder.encode(some)

    assert np.allclose(found, singly(encoder, some), atol=CLOSE)
    assert np.allclose(found[::-1], encoder.encode(some[::-1]), atol=CLOSE)


def test_no_text_gives_no_row(encoder: Encoder) -> None:
    """The width is still that of the encoder."""
    assert encoder.encode([]).shape == (0, encoder.encode(["a word"]).shape[1])


def test_texts_that_say_the_same_are_more_alike_than_others(encoder: Encoder) -> None:
    """What an encoder is for."""
    same, other, far = encoder.encode(["List five fruits.", "List five of the fruits", "Prove that seven is prime."])

    assert same @ other > same @ far


def test_progress_is_told_to_the_end(encoder: Encoder) -> None:
    """The last call says that all texts are done."""
    calls: list[tuple[int, int]] = []

    encoder.encode(["one", "two", "three"], lambda done, total: calls.append((done, total)))

    assert calls[-1] == (3, 3)
