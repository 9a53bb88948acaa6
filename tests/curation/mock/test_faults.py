"""Faults: each does what its description says, as often as its rate says, and is billed as a provider would bill it."""

import http.client
import time
from collections import Counter
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from curation.mock.faults import ALL, ANSWER_FAULTS, FAULTS, WIRE_FAULTS, Faults, read_rates
from curation.mock.ledger import read_ledger
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from schemas.errors import InputError
from tests.curation.mock.asking import ask, said

BILLED_FOR_NOTHING = ("hang", "disconnect_before", "disconnect_amid", "broken_json")


def always(fault: str, tmp_path: Path) -> MockEndpoint:
    """Return an endpoint that has one fault all the time."""
    return MockEndpoint(faults={fault: 1.0}, ledger=str(tmp_path / "ledger.jsonl"))


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("limit_seconds", 429), ("limit_date", 429), ("limit_words", 429), ("limit_silent", 429),
        ("server_error", 500), ("unavailable", 503),
    ],
)  # fmt: skip
def test_an_error_is_an_error_and_costs_nothing(fault: str, status: int, tmp_path: Path) -> None:
    """It has its status and the API's form, and the ledger holds it with no tokens."""
    with serving(always(fault, tmp_path)) as running:
        got = ask(running)
    (entry,) = read_ledger(tmp_path / "ledger.jsonl")

    assert got.status == entry.status == status
    assert got.json["error"]["message"]
    assert (entry.fault, entry.tokens) == (fault, 0)


def test_the_four_ways_of_saying_when_to_come_back() -> None:
    """In seconds, as a date, in words alone, and not at all."""
    came = {}
    for fault in ("limit_seconds", "limit_date", "limit_words", "limit_silent"):
        with serving(MockEndpoint(faults={fault: 1.0}, retry_after_s=3)) as running:
            came[fault] = ask(running)

    assert came["limit_seconds"].headers["retry-after"] == "3"
    date = parsedate_to_datetime(came["limit_date"].headers["retry-after"])
    assert 0 < date.timestamp() - time.time() <= 3
    assert "try again in 3.000s" in came["limit_words"].json["error"]["message"]
    for fault in ("limit_words", "limit_silent"):
        assert "retry-after" not in came[fault].headers
    assert not any(char.isdigit() for char in came["limit_silent"].json["error"]["message"])


@pytest.mark.parametrize("fault", BILLED_FOR_NOTHING)
def test_a_lost_answer_is_billed(fault: str, tmp_path: Path) -> None:
    """No whole answer arrives, and its tokens stand in the ledger all the same."""
    lost = (http.client.HTTPException, OSError, ValueError)
    with serving(always(fault, tmp_path)) as running, pytest.raises(lost):
        _ = ask(running, wait_s=0.5 if fault == "hang" else None).json
    (entry,) = read_ledger(tmp_path / "ledger.jsonl")

    assert entry.fault == fault
    assert entry.tokens > 0


def test_disconnected_amid_the_body() -> None:
    """Half of the promised bytes came."""
    settings = MockEndpoint(faults={"disconnect_amid": 1.0})
    with serving(settings) as running, pytest.raises(http.client.IncompleteRead) as caught:
        ask(running)

    assert abs(len(caught.value.partial) - (caught.value.expected or 0)) <= 1


def test_broken_json_is_a_whole_body() -> None:
    """The connection cannot tell that anything is missing."""
    with serving(MockEndpoint(faults={"broken_json": 1.0})) as running:
        got = ask(running)

    assert got.status == 200
    assert len(got.body) == int(got.headers["content-length"])


def test_what_can_be_wrong_with_an_answer() -> None:
    """No choice, no content, another form, cut short, no usage: each by its name."""
    came = {}
    for fault in ("empty_choices", *ANSWER_FAULTS):
        with serving(MockEndpoint(faults={fault: 1.0})) as running:
            came[fault] = ask(running, response_format={"type": "json_object"}).json

    assert came["empty_choices"]["choices"] == []
    assert came["empty_content"]["choices"][0]["message"]["content"] is None
    assert came["empty_content"]["choices"][0]["message"]["reasoning_content"]
    assert came["wrong_schema"]["choices"][0]["message"]["content"] == '{"unexpected": true}'
    assert came["truncated"]["choices"][0]["finish_reason"] == "length"
    assert not came["truncated"]["choices"][0]["message"]["content"].endswith("}")
    assert "usage" not in came["no_usage"]


def test_duplicates_are_the_same_answer_to_different_requests() -> None:
    """And without the fault the answers differ."""
    texts = {}
    for rate in (0.0, 1.0):
        with serving(MockEndpoint(faults={"duplicate": rate})) as running:
            texts[rate] = {ask(running, **said(f"Write {n} new tasks.")).text[:40] for n in range(2, 8)}

    assert len(texts[0.0]) == 6
    assert len(texts[1.0]) == 1


def test_asking_again_helps_against_the_wire_and_not_against_the_answer() -> None:
    """Every attempt is drawn anew; what an answer holds belongs to the request."""
    faults = Faults(rates={"server_error": 0.5, "truncated": 0.5})

    attempts = {faults.of_attempt("key", number) for number in range(20)}
    answers = {faults.of_answer("key") for _ in range(20)}

    assert attempts == {"", "server_error"}
    assert len(answers) == 1


@pytest.mark.parametrize("kind", [WIRE_FAULTS, ANSWER_FAULTS], ids=["wire", "answer"])
def test_rates_are_kept(kind: dict[str, str]) -> None:
    """Of 20,000 draws each fault gets its share, within five standard deviations."""
    faults = Faults(rates=dict.fromkeys(kind, 0.05))
    draw = (lambda key: faults.of_attempt(key, 1)) if kind is WIRE_FAULTS else faults.of_answer

    counts = Counter(draw(str(key)) for key in range(20_000))

    assert set(counts) == {"", *kind}
    assert all(abs(counts[name] - 1_000) < 5 * 31 for name in kind)


def test_the_seed_decides() -> None:
    """The same seed hits the same requests, another one others."""
    hit = [[Faults(rates={"hang": 0.5}, seed=seed).of_attempt(str(key), 1) for key in range(50)] for seed in (1, 1, 2)]

    assert hit[0] == hit[1] != hit[2]


def test_rates_are_read() -> None:
    """`all` stands for every fault, and a later word overrides an earlier one."""
    rates = read_rates((f"{ALL}=0.02", "hang=0"))

    assert set(rates) == set(FAULTS)
    assert (rates["hang"], rates["server_error"]) == (0, 0.02)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("hang",), "expected NAME=RATE, such as server_error=0.05, found hang"),
        (("hang=often",), "expected NAME=RATE"),
        (("hnag=0.1",), "expected one of limit_seconds,"),
        (("hang=1.5",), "hang: expected a rate from 0 to 1, found 1.5"),
        (("hang=0.6", "unavailable=0.6"), "rates of one kind that add up to 1, found 1.2"),
    ],
)
def test_rates_that_cannot_be_meant(words: tuple[str, ...], says: str) -> None:
    """What is wrong is named."""
    with pytest.raises(InputError, match=says):
        Faults(rates=read_rates(words))


def test_everything_at_once_still_serves() -> None:
    """With every fault on, attempts that are answered are answered well."""
    with serving(MockEndpoint(faults=dict.fromkeys(FAULTS, 0.04) | {"hang": 0.0})) as running:
        whole = 0
        for _ in range(40):
            try:
                whole += ask(running).status == 200
            except (http.client.HTTPException, OSError):
                continue

    assert 10 < whole < 40
