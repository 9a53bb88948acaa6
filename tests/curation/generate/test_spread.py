"""Several endpoints for one model: shares, who takes over, who is dropped, and whose key is shown to whom."""

import asyncio
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from curation.generate.endpoint import Message, Request
from curation.generate.source import Generate
from curation.generate.spread import Lane, Spread
from curation.generate.web import open_endpoint
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.codec import read_config
from schemas.errors import EndpointError, InputError
from tests.curation.generate.scripted import Reply, Scripted, seed_file, told_server

DOWN = "http://127.0.0.1:9/v1"


async def ask_many(spread: Spread, count: int, at_once: int) -> None:
    """Ask so many questions, some at a time."""
    slots = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with slots:
            await spread.ask(Request(model="m", messages=(Message("user", str(number)),)))

    await asyncio.gather(*map(one, range(count)))


def source(folder: Path, *addresses: str, **settings: object) -> Generate:
    """Return a source that asks several endpoints."""
    given: dict[str, object] = {"n": 12, "model": "mock", "output_form": "list", "round_size": 4, **settings}
    return Generate(base_url=addresses, seeds=str(seed_file(folder)), **given)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("at_once", [1, 8])
def test_weights_are_shares_of_the_requests(at_once: int) -> None:
    """Three to one, one at a time and several."""
    one, other = Scripted(wait_s=0.004), Scripted(wait_s=0.004)
    lanes = [Lane(endpoint=one, weight=3), Lane(endpoint=other)]
    asyncio.run(ask_many(Spread(lanes, most=at_once), 200, at_once))

    assert len(one.asked) + len(other.asked) == 200
    assert 140 <= len(one.asked) <= 160


async def ask_servers(*addresses: str) -> None:
    """Ask servers for a hundred answers, eight at a time."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_endpoint(one, timeout_s=20)) for one in addresses]
        await ask_many(Spread([Lane(endpoint=one) for one in opened], most=8), 100, 8)


def test_a_slow_endpoint_does_not_hold_up_a_fast_one() -> None:
    """It answers what it can, and the other takes over; not more than half of what is in flight waits for it."""
    with serving(MockEndpoint(latency_s=0.5)) as slow, serving(MockEndpoint()) as fast:
        asyncio.run(ask_servers(slow.address, fast.address))

    answered = [running.service.ledger.requests for running in (slow, fast)]
    assert sum(answered) == 100
    assert 0 < answered[0] < 50 < answered[1]


def test_who_answered_makes_no_difference(tmp_path: Path) -> None:
    """The records are those of one endpoint alone, byte for byte, and what one answered the other is not asked."""
    with told_server(slow_s=0.05) as slow, told_server() as fast:
        two = run_source(source(tmp_path, slow.address, fast.address), tmp_path / "2")
        run_source(source(tmp_path, slow.address), tmp_path / "2", force=True)
        asked = [str(sent) for sent in (*slow.ledger, *fast.ledger)]
        run_source(source(tmp_path, fast.address), tmp_path / "1")

    assert two.step.manifest.counts.kept == 12
    assert len(asked) == len(set(asked))
    for name in ("records.jsonl", "rejected.jsonl"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_an_endpoint_that_fails_is_dropped_and_the_other_takes_over(tmp_path: Path) -> None:
    """Nobody there, or a wrong key: a line says so, and the run reaches its end."""
    with serving(MockEndpoint(refuse="forbidden")) as refusing, serving(MockEndpoint()) as good:
        for number, bad in enumerate((DOWN, refusing.address)):
            made = source(tmp_path, bad, good.address, attempts=1)
            watched = Watched()
            ran = run_source(made, tmp_path / str(number), aside=watched)

            assert ran.step.manifest.counts.kept == 12
            assert len(watched.dropped) == 1
            assert "it is asked no more, 1 of the endpoints left" in watched.dropped[0]
            assert bad.removesuffix("/v1") in watched.dropped[0]


class Watched:
    """An aside that remembers what was said of endpoints."""

    dropped: tuple[str, ...] = ()

    def leave(self, name: str, row: object) -> None:
        """Keep nothing."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show nothing."""

    def watch(self, view: object) -> None:
        """Remember."""
        assert isinstance(view, dict)
        self.dropped = view["dropped"]


def test_a_passing_fault_goes_to_the_other(tmp_path: Path) -> None:
    """500 once at one endpoint: the same request is answered by the other at once, and nobody is dropped."""
    with told_server(Reply(status=500, body="{}")) as one, told_server() as other:
        watched = Watched()
        run_source(source(tmp_path, one.address, other.address), tmp_path / "1", aside=watched)

    asked = [str(sent) for sent in (*one.ledger, *other.ledger)]
    assert watched.dropped == ()
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("endpoints", [1, 2])
def test_a_run_that_goes_on_may_begin_with_what_is_refused(tmp_path: Path, endpoints: int) -> None:
    """The journal knows that the model has answered: it is the prompt that is refused, and the run goes on."""
    refusal = Reply(status=400, body='{"error": {"message": "content policy"}}')
    with told_server() as one, told_server() as other:
        addresses = (one.address, other.address)[:endpoints]
        run_source(source(tmp_path, *addresses, concurrency=1), tmp_path / "1")
        one.replies.append(refusal)
        more = run_source(source(tmp_path, *addresses, n=18, concurrency=1), tmp_path / "1", force=True).step
    codes = [reason.code for one in more.rejections() for reason in one.reasons]

    assert more.manifest.counts.kept == 18
    assert codes.count("request_refused") == 1


def test_when_none_is_left_the_run_ends(tmp_path: Path) -> None:
    """In the words of the last."""
    with serving(MockEndpoint(refuse="forbidden")) as refusing, pytest.raises(EndpointError):
        run_source(source(tmp_path, refusing.address, DOWN, attempts=1), tmp_path / "1")


def test_no_endpoint_is_shown_another_s_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a variable of its own; where it is not set, nothing is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    monkeypatch.setenv("OPENAI_API_KEY_2", "second")
    monkeypatch.delenv("OPENAI_API_KEY_3", raising=False)
    with ExitStack() as stack:
        told = [stack.enter_context(told_server()) for _ in range(3)]
        run_source(source(tmp_path, *(one.address for one in told)), tmp_path / "1")

    assert [{key for _, key in one.seen} for one in told] == [{"Bearer first"}, {"Bearer second"}, {"Bearer none"}]


@pytest.mark.parametrize("weight", [(1,), (1, 0), (1, 2, 3)])
def test_a_weight_for_each_endpoint(weight: tuple[int, ...]) -> None:
    """One each, from 1; batches are for one endpoint."""
    with pytest.raises(InputError, match="weight: expected 2 numbers from 1"):
        Generate(base_url=("http://a/v1", "http://b/v1"), weight=weight)
    with pytest.raises(InputError, match="mode: expected one endpoint"):
        Generate(base_url=("http://a/v1", "http://b/v1"), mode="batch")


def test_an_endpoint_that_only_says_later_is_dropped(tmp_path: Path) -> None:
    """When it wants more patience than there is; its request goes to the other."""
    later = Reply(status=429, body="{}", headers={"Retry-After": "30"})
    with told_server(*[later] * 30) as one, told_server() as other:
        watched = Watched()
        ran = run_source(source(tmp_path, one.address, other.address, patience_s=5.0), tmp_path / "1", aside=watched)

    assert ran.step.manifest.counts.kept == 12
    assert one.ledger == []
    assert [said for said in watched.dropped if "more than --patience-s 5" in said]


def test_a_pause_is_waited_for_elsewhere(tmp_path: Path) -> None:
    """A 429 within one's patience drops nobody; the others answer meanwhile."""
    later = Reply(status=429, body="{}", headers={"Retry-After": "30"})
    with told_server(*[later] * 30) as one, told_server() as other:
        watched = Watched()
        run_source(source(tmp_path, one.address, other.address, concurrency=1), tmp_path / "1", aside=watched)

    assert watched.dropped == ()
    assert len(one.seen) == 1
    assert other.ledger


def test_a_recipe_names_endpoints_in_a_list(tmp_path: Path) -> None:
    """One address by itself means the same as a list of one."""
    both: Generate = read_config(Generate, {"base_url": ["http://a/v1", "http://b/v1"], "weight": [3, 1]}, "r.yaml")

    assert (both.addresses, both.weight) == (("http://a/v1", "http://b/v1"), (3, 1))
    assert read_config(Generate, {"base_url": "http://a/v1"}, "r.yaml").addresses == ("http://a/v1",)
    assert Generate(base_url="").addresses == Generate().addresses == ()
