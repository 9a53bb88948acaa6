"""Evol-Instruct: an instruction becomes a harder one, or leads to a rarer one.

After Xu et al. 2023 (https://arxiv.org/abs/2304.12244): in depth by one more condition, by a deeper question, by
something concrete for something general, by more steps of reasoning; in breadth by a rarer subject of the same field.
An evolution that failed is eliminated: it speaks of the rewriting, it says nothing new, or the model finds no answer.
What the paper asks ChatGPT ("are the two equal?") is counted here: new words, and the novelty that all strategies
share.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from curation.generate.draw import draw
from curation.generate.endpoint import Answer, Endpoint, Message
from curation.generate.gates import shortened
from curation.generate.strategies.drafts import blank, draft_of, every_category, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from curation.text import tokens
from schemas.outcome import reject
from schemas.record import InstructionRecord, Reason

NEW_WORDS = 3
"""Fewest words of an evolved instruction that its parent does not have."""
SORRY_WORDS = 80
"""Words under which a response that says sorry is none; the paper's rule."""
COUNT = 2
"""Instructions' worth of tokens that one evolved instruction may take."""
SYSTEM = (
    "You rewrite tasks for a language model. Give only the rewritten task. It must make sense to somebody who has not "
    "seen the first one."
)


class Way(NamedTuple):
    """One way of evolving."""

    words: str
    before: str
    after: str
    """An example of it."""
    broad: bool = False
    """Whether it leads away from the parent, so that its text is none for the new task."""


WAYS: Mapping[str, Way] = {
    "constrain": Way(
        "Add one more condition that the answer has to meet.",
        "Suggest a name for a bakery.",
        "Suggest a name for a bakery that is also a train station, in one word that children can spell.",
    ),
    "deepen": Way(
        "Ask for more depth: causes, consequences or exceptions.",
        "Why do leaves turn red in autumn?",
        "Why do leaves turn red in autumn, why do some trees stay green, and what would a year without frost change?",
    ),
    "concretise": Way(
        "Replace something general with something particular: a person, a place, a number.",
        "How can I save money on heating?",
        "How can a retired teacher in a draughty two-room flat cut a heating bill of 140 dollars a month by a third?",
    ),
    "reason": Way(
        "Let the answer need several steps of reasoning.",
        "How long does a train take for 300 km?",
        "A train does 300 km at 120 km/h with two stops of ten minutes each. When does it arrive if it leaves at 9:40?",
    ),
    "rarer": Way(
        "Write a new task of the same kind and length about a much rarer subject of the same field.",
        "Name five uses of salt.",
        "Name five uses of the wax that sperm whales carry in their heads.",
        broad=True,
    ),
}
"""Name → way; they take turns."""

_COPIED = re.compile(
    r"\b(?:given|first|original|rewritten|evolved|new) (?:task|prompt|instruction)\b|\brewrit(?:e|ten|ing) the task\b",
    re.IGNORECASE,
)
"""Words about the rewriting."""


_LABEL = re.compile(r"\A\s*(?:(?:new|rewritten) )?task:\s*", re.IGNORECASE)
"""What stands before the task where a model goes on as the request was written."""


@dataclass(frozen=True, slots=True)
class Evol:
    """The strategy `evol`."""

    sampling: Sampling
    material: Material = Material()  # noqa: RUF009  # frozen

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories of the seeds."""
        return every_category(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for an evolution of a seed, or of a record that was made of one."""
        records = [*shelf.seeds[turn.category], *shelf.made.get(turn.category, ())]
        (parent,) = draw(records, 1, self.sampling.seed, *turn.place, "parent")
        way = list(WAYS.values())[turn.number % len(WAYS)]
        request = instructions_request(self.sampling, _messages(way, parent), COUNT)
        begun = replace(blank("evol", turn.category, [parent]), context="" if way.broad else parent.context)
        return Proposal(blank=begun, request=request, examples=(parent,))

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return the draft, unless its evolution failed."""
        drafted = draft_of(proposal, replace(answer, text=_LABEL.sub("", answer.text)))
        reason = failure(drafted.record, proposal.examples[0]) if isinstance(drafted, Draft) else None
        return [reject(drafted.record, reason) if reason and isinstance(drafted, Draft) else drafted]

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the instance, and eliminate a task that the model cannot do."""
        done = await Instance(self.sampling).finish(draft, shelf, endpoint)
        reason = refusal(done.record) if isinstance(done, Draft) else None
        return reject(done.record, reason) if reason and isinstance(done, Draft) else done


def failure(record: InstructionRecord, parent: InstructionRecord) -> Reason | None:
    """Return why an evolved instruction is none, or nothing."""
    if match := _COPIED.search(record.instruction):
        found = shortened(match[0])
        return Reason(code="evolution_copies_prompt", field="instruction", found=found, limit="the task alone")
    new = set(tokens(record.instruction)) - set(tokens(parent.instruction))
    if len(new) >= NEW_WORDS:
        return None
    return Reason(
        code="evolution_no_gain",
        field="instruction",
        found=f"{len(new)} new words",
        limit=f"{NEW_WORDS} or more",
        other=parent.id,
    )


def refusal(record: InstructionRecord) -> Reason | None:
    """Return why a response shows that the task cannot be done, or nothing."""
    words = record.response.split()
    sorry = "sorry" in record.response.lower() and len(words) < SORRY_WORDS
    if not sorry and tokens(record.response):
        return None
    found = shortened(record.response)
    return Reason(code="evolution_unanswerable", field="response", found=found, limit="an answer")


def _messages(way: Way, parent: InstructionRecord) -> tuple[Message, ...]:
    task = f"{way.words}\n\nTask: {parent.instruction}"
    if parent.context and not way.broad:
        task = f"The task is about this text:\n{parent.context}\n\n{task}"
    return (
        Message("system", SYSTEM),
        Message("user", f"{way.words}\n\nTask: {way.before}"),
        Message("assistant", way.after),
        Message("user", task),
    )
