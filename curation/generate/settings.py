"""The settings of the source `generate`: what can be asked of it, and what cannot be meant."""

from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from curation.generate.budget import Purse, read_budget
from curation.generate.contract import FORMS
from curation.generate.deliver import known_destination, without_secrets
from curation.generate.ladder import AUTO, known_form
from curation.generate.limiter import Patience
from curation.generate.novelty import Scope
from curation.generate.plan import parse_shares
from curation.generate.prices import Price, dearer, find_price, given_price
from curation.generate.seeds import SHIPPED
from curation.generate.shard import Shard
from curation.generate.spending import Spending
from curation.generate.strategies import STRATEGIES, Sampling
from schemas.errors import InputError

ONLINE, BATCH = "online", "batch"
FIXED, AUTO_SHARES = "fixed", "auto"
EMBEDDED_FORM = "list"
"""What the embedded model writes best, see `benchmarks/embedded_generation.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How records are made: plain data, and what follows from it."""

    n: int = 200
    """Records to keep."""
    model: str = "smollm2-135m"
    """An embedded model, a path or a Hub id; with `base_url`, what the endpoint calls it."""
    base_url: str | tuple[str, ...] = field(default=(), metadata={"identity": False})
    """Address of an OpenAI-compatible endpoint, or of several that have the model; none: it runs in this process."""
    weight: tuple[int, ...] = field(default=(), metadata={"identity": False})
    """Share of the requests that each of several addresses gets, in their order; none: all the same."""
    answer_model: str = ""
    """Writes the responses; empty: `model` does."""
    answer_base_url: str = field(default="", metadata={"identity": False})
    """Address of the endpoint that has it; empty: `base_url`, or this process."""
    seeds: str = field(default="", metadata={"identity": False})
    """A file of seed tasks, in any format that `validate` reads; empty: those that ship."""
    strategy: str = "self-instruct"
    """One of `STRATEGIES`, or several with their shares of the requests: `self-instruct:60,evol:25,docs:15`."""
    shares: str = FIXED
    """How strategies share the requests: `fixed`: as `strategy` says; `auto`: by what they yield, round by round."""
    quota: str = ""
    """Share of the records that categories are to have: `brainstorming:10%,open_qa:30%`; the others share the rest."""
    topics: str = field(default="", metadata={"identity": False})
    """For `topic`: a file of topics, one a line; empty: those that ship."""
    personas: str = field(default="", metadata={"identity": False})
    """For `persona`: a file of people, one a line; empty: those that ship."""
    docs: tuple[str, ...] = field(default=(), metadata={"identity": False})
    """For `docs`: files or folders of documents (txt, md, jsonl, html)."""
    records: str = field(default="", metadata={"identity": False})
    """For `answer`: the step directory whose instructions are answered anew."""
    raw_prompt: str = ""
    """For `magpie`: one of `raw.FORMS`, or what stands before a user's words; empty: the model's own."""
    steer: bool = True
    """Whether requests say what is short among the records so far, compared with the seeds."""
    seed: int = 1
    """Decides which examples each request shows."""
    temperature: float = 0.9
    """Of requests for instructions."""
    answer_temperature: float = 0.5
    """Of requests for contexts and responses."""
    agree: int = 1
    """Answers where answers can be compared, of which more than half have to agree; 1: nothing is asked twice."""
    frequency_penalty: float = 0.3
    """Of contexts and responses, against loops: 0 (not sent) to 2."""
    max_tokens: int = 192
    """Longest context or response, in tokens; a longer one is cut and rejected."""
    per_request: int = 4
    """Instructions asked for at once."""
    examples: int = 0
    """Finished seeds shown where a context or a response is asked for; a large model takes after them, at a price."""
    round_size: int = 24
    """Requests for instructions in a round, which all show records of earlier rounds only."""
    novelty: float = 0.7
    """ROUGE-L F (0 to 1) with an earlier instruction, over which one is rejected."""
    novelty_scope: Scope = "instruction"
    """What of a record is compared: `instruction`, or `both`: that and its context."""
    language: str = ""
    """Language that records have to be in, as an ISO 639-1 code; empty: that of the seeds; `any`: not asked."""
    min_yield: float = field(default=0.1, metadata={"identity": False})
    """Share (0 to 1) of what is written that a round must keep; three rounds under it end the run."""
    concurrency: int = field(default=8, metadata={"identity": False})
    """Requests under way at once."""
    timeout_s: float = field(default=300.0, metadata={"identity": False})
    """Seconds that one request may take."""
    mode: str = field(default=ONLINE, metadata={"identity": False})
    """`online`: each request by itself; `batch`: in jobs of the provider's Batch API, at half the price."""
    output_form: str = AUTO
    """How the model writes lists: one of `contract.FORMS`; `auto`: the best that the endpoint keeps."""
    attempts: int = field(default=Patience().attempts, metadata={"identity": False})
    """Attempts at a request that meet server errors, lost connections or unreadable answers; 429 and 503 cost none."""
    patience_s: float = field(default=Patience().patience_s, metadata={"identity": False})
    """Seconds without any answer, after which an endpoint that keeps saying "later" is given up."""
    budget: str = field(default="", metadata={"identity": False})
    """What may be spent: `5usd`, `2Mtok`, `30min`, or several of them; empty: anything."""
    price_in: float | None = field(default=None, metadata={"identity": False})
    """US dollars per million tokens of prompts; null: what the price file says."""
    price_out: float | None = field(default=None, metadata={"identity": False})
    """US dollars per million tokens of answers; both prices or neither."""
    push_every: int = field(default=0, metadata={"identity": False})
    """Records after which all there are so far are sent to `push_to`, and again; 0: never."""
    push_to: str = field(default="", metadata={"identity": False})
    """Where to: a folder, an address that fsspec knows, or `hf://datasets/ORG/NAME`."""
    reparse: bool = False
    """Read the answers that the journal holds once more, with the settings as they are now, and send nothing."""
    journal: str = field(default="", metadata={"identity": False})
    """Folder of the journal; empty: beside the step directory."""
    shard: str = field(default="", metadata={"identity": False})
    """The part of the requests that this machine sends, `2/3` or `1,2/3`, while others send theirs; empty: all."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant."""
        for name in ("n", "max_tokens", "per_request", "round_size", "concurrency", "attempts", "agree"):
            if getattr(self, name) < 1:
                raise InputError(place="generate", field=name, expected="1 or more", found=str(getattr(self, name)))
        if self.agree > 1 and not self.answer_temperature:
            expected = "over 0 with agree: answers that must be the same say nothing"
            raise InputError(place="generate", field="answer_temperature", expected=expected, found="0")
        known_form(self.output_form)
        if self.push_every < 0 or bool(self.push_every) != bool(known_destination(self.push_to)):
            expected, found = "both, a number of records and a place, or neither", f"{self.push_every} and "
            found += without_secrets(self.push_to) or "no place"
            raise InputError(place="generate", field="push_every, push_to", expected=expected, found=found)
        self._refuse_mode()
        self._refuse_weights()
        self._refuse_strategies()
        self._refuse_shard()
        if (self.price_in is None) != (self.price_out is None) or min(self.price_in or 0, self.price_out or 0) < 0:
            found = f"{self.price_in} and {self.price_out}"
            raise InputError(place="generate", field="price_in, price_out", expected="two prices or none", found=found)
        self.purse()

    def _refuse_mode(self) -> None:
        if self.mode not in (ONLINE, BATCH):
            expected = f"{ONLINE} or {BATCH}"
            raise InputError(place="generate", field="mode", expected=expected, found=self.mode)
        if self.mode == BATCH and not self.addresses:
            raise InputError(
                place="generate", field="mode", expected="an endpoint (base_url) for batches", found="none"
            )

    def _refuse_weights(self) -> None:
        if self.weight and (len(self.weight) != len(self.addresses) or min(self.weight) < 1):
            expected = f"{len(self.addresses)} numbers from 1, one for each base_url"
            found = ", ".join(map(str, self.weight))
            raise InputError(place="generate", field="weight", expected=expected, found=found)
        if self.mode == BATCH and len(self.addresses) > 1:
            expected, found = "one endpoint (base_url) for batches", str(len(self.addresses))
            raise InputError(place="generate", field="mode", expected=expected, found=found)

    def _refuse_strategies(self) -> None:
        if self.shares not in (FIXED, AUTO_SHARES):
            expected = f"{FIXED} or {AUTO_SHARES}"
            raise InputError(place="generate", field="shares", expected=expected, found=self.shares)
        known = f"one of {', '.join(STRATEGIES)}"
        for name in self.mix:
            if name not in STRATEGIES:
                raise InputError(place="generate", field="strategy", expected=known, found=name)
        if self.answer_base_url and self.answer_model in ("", self.model):
            found = self.answer_model or "none"
            raise InputError(place="generate", field="answer_model", expected="another model", found=found)

    def _refuse_shard(self) -> None:
        if self.part and (self.mode == BATCH or self.reparse or self.shares == AUTO_SHARES):
            expected = f"neither mode {BATCH} nor reparse nor shares {AUTO_SHARES} beside it"
            raise InputError(place="generate", field="shard", expected=expected, found="one of them")
        if self.part and not self.journal:
            expected = "a folder that all shards can read"
            raise InputError(place="generate", field="journal", expected=expected, found="none")

    @property
    def part(self) -> Shard | None:
        """The part of the requests that this machine sends; None: all of them."""
        return Shard.read(self.shard) if self.shard else None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The endpoints that have the model; none: this process does."""
        given = (self.base_url,) if isinstance(self.base_url, str) else self.base_url
        return tuple(filter(None, given))

    @property
    def embedded(self) -> tuple[str, ...]:
        """The models that run in this process."""
        if self.addresses:
            return ()
        others = (self.answer_model,) if self.answer_model and not self.answer_base_url else ()
        return (self.model, *others)

    @property
    def mix(self) -> dict[str, int]:
        """The strategies and their shares of the requests."""
        return parse_shares(self.strategy, "strategy")

    def purse(self, spending: Spending | None = None) -> Purse:
        """Return a purse with the budget, of which so much is spent already."""
        if self.price_in is not None and self.price_out is not None:
            price: Price | None = given_price(self.price_in, self.price_out)
        else:
            price = self._price()
        return Purse(budget=read_budget(self.budget), price=price, spending=spending or Spending())

    def _price(self) -> Price | None:
        """Return the price; of several what is dearest, so that a budget holds whoever is asked."""
        asked = [(self.model, address) for address in self.addresses or ("",)]
        if self.answer_model:
            others = (self.answer_base_url,) if self.answer_base_url else self.addresses or ("",)
            asked += [(self.answer_model, address) for address in others]
        prices = [find_price(*one) for one in asked]
        known = [price for price in prices if price]
        return reduce(dearer, known) if len(known) == len(prices) else None

    @property
    def seed_file(self) -> Path:
        """Where the seeds are."""
        return Path(self.seeds) if self.seeds else SHIPPED

    @property
    def patience(self) -> Patience:
        """When an endpoint is given up."""
        return Patience(attempts=self.attempts, patience_s=self.patience_s)

    @property
    def form_unasked(self) -> str:
        """The form of lists if no endpoint is asked what it can do: the best one."""
        if self.output_form != AUTO:
            return self.output_form
        return next(iter(FORMS)) if self.addresses else EMBEDDED_FORM

    def sampling(self, form: str = EMBEDDED_FORM) -> Sampling:
        """Return how the model is asked, with lists in this form."""
        return Sampling(
            form=form,
            model=self.model,
            answer_model=self.answer_model,
            seed=self.seed,
            temperature=self.temperature,
            answer_temperature=self.answer_temperature,
            frequency_penalty=self.frequency_penalty,
            max_tokens=self.max_tokens,
            examples=self.examples,
            per_request=self.per_request,
            steer=self.steer,
            agree=self.agree,
        )
