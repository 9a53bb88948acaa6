"""A second opinion: what a strategy made is answered again, and kept where most of the answers say the same.

After Wang et al. 2022 (https://arxiv.org/abs/2203.11171): a model that errs seldom errs twice in the same way. It works
where answers can be compared (`curation.generate.agreement`); everything else passes, and costs nothing. Answers are
asked for one by one, and no more of them than decide.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate.agreement import agreed, form_of
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.gates import shortened
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Sampling, Seeds, Shelf, Strategy, Turn
from schemas.outcome import Rejection, reject
from schemas.record import Reason

APART = 1_000_000
"""Between the numbers of samples, so that another `agree` asks for none of them again."""


@dataclass(frozen=True, slots=True)
class Agreeing:
    """A strategy whose responses are asked for several times."""

    strategy: Strategy
    sampling: Sampling

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return those of the strategy."""
        return self.strategy.categories(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal | None:
        """Return what the strategy proposes."""
        return self.strategy.propose(turn, shelf)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return what the strategy reads."""
        return self.strategy.read(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Have the draft finished, then answered again until most answers agree, or can no longer."""
        done = await self.strategy.finish(draft, shelf, endpoint)
        if isinstance(done, Rejection) or not form_of(done.record):
            return done
        answers: list[Drafted] = [done]
        while agreed(_forms(answers), self.sampling.agree) is None:
            sample = done.sample + APART * len(answers)
            answers.append(await Instance(self.sampling).answer(done, sample, shelf, endpoint))
        return self._judged(done, answers)

    def _judged(self, done: Draft, answers: Sequence[Drafted]) -> Drafted:
        """Return the first answer of those that agree, with how many did; or the rejection."""
        forms = _forms(answers)
        form, most = Counter(filter(None, forms)).most_common(1)[0]
        requests = {f"response_{at}": _request(one) for at, one in enumerate(answers[1:], 2)}
        if not agreed(forms, self.sampling.agree):
            return self._rejected(done, answers, most)
        chosen = answers[forms.index(form)]
        assert isinstance(chosen, Draft), "a rejection has no form"
        said = {**chosen.record.extra, "agreement": {"answers": len(answers), "agree": most}}
        record = replace(chosen.record, extra=said)
        return replace(chosen, record=record, requests={**done.requests, **chosen.requests, **requests})

    def _rejected(self, done: Draft, answers: Sequence[Drafted], most: int) -> Rejection:
        texts = [_text(one) for one in answers]
        reason = Reason(
            code="answers_disagree",
            field="response",
            found=shortened(" | ".join(texts)),
            limit=f"{self.sampling.agree // 2 + 1} of {self.sampling.agree} answers alike",
            scores={"answers": len(answers), "agree": most},
        )
        return reject(replace(done.record, extra={**done.record.extra, "answers": texts}), reason)


def _forms(answers: Sequence[Drafted]) -> list[str]:
    """Return each answer's normal form; one that could not be read has none."""
    return [form_of(one.record) if isinstance(one, Draft) else "" for one in answers]


def _request(one: Drafted) -> str:
    came = one.record.provenance if isinstance(one, Draft) else one.provenance
    return came.request


def _text(one: Drafted) -> str:
    """Return what was answered; where it was nothing that can be read, why."""
    if isinstance(one, Draft):
        return one.record.response
    return str(one.row.get("response") or one.reasons[0].code)
