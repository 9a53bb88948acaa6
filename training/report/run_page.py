"""How a run went, as one self-contained page: curves, losses by category, the same prompts before and after."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from training.log import Evaluation, Sample, StepRow, Trained, summed_up
from training.markup import template
from training.report.figures import Curve, figure, smoothed

PAGE = "training.html"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of a run so far."""

    rows: list[StepRow] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """A category's loss at the first evaluation and at the last."""

    category: str
    records: int
    tokens: int
    before: float
    after: float


def run_html(name: str, seen: Seen) -> str:
    """Return the page: no script, nothing loaded from anywhere; what a model wrote is only ever text."""
    looks = seen.evaluations
    return template("training.html.j2").render(
        name=name,
        trained=_trained(seen.rows),
        first=looks[0] if looks else None,
        last=looks[-1] if looks else None,
        looks=looks,
        figures=list(_figures(seen)),
        changes=changes(looks),
        answers=_answers(seen.samples),
    )


def changes(looks: Sequence[Evaluation]) -> list[Change]:
    """Return each category's loss at the first and the last evaluation."""
    if not looks:
        return []
    before = {one.category: one.loss for one in looks[0].categories}
    return [
        Change(one.category, one.records, one.tokens, before[one.category], one.loss)
        for one in looks[-1].categories
        if one.category in before
    ]


def _trained(rows: Sequence[StepRow]) -> Trained | None:
    return summed_up(rows) if rows else None


def _figures(seen: Seen) -> list[tuple[str, str, Markup]]:
    """Return title, words and drawing of each figure; nothing before the first step."""
    if not seen.rows:
        return []
    last = seen.rows[-1].step
    loss = [(float(row.step), row.loss) for row in seen.rows]
    held_out = [(float(one.step), one.loss) for one in seen.evaluations if one.loss is not None]
    losses = [
        Curve("each step", "faint", loss),
        Curve("its running mean", "train", smoothed(loss)),
        Curve("held out", "held", held_out, dotted=True),
    ]
    drawn = [
        ("loss", "Loss", "Nats per response token; lower is better.", losses),
        ("lr", "Learning rate", "At each step.", [_course(seen, "lr", "train")]),
        ("norm", "Gradient norm", "Before clipping.", [_course(seen, "grad_norm", "train")]),
        ("speed", "Tokens a second", "Padding not counted.", [_course(seen, "tokens_per_second", "train")]),
    ]
    return [(title, words, figure(key, title, words, curves, last)) for key, title, words, curves in drawn]


def _course(seen: Seen, name: str, mark: str) -> Curve:
    return Curve(name, mark, [(float(row.step), float(getattr(row, name))) for row in seen.rows])


def _answers(samples: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """Return the first and the last answer to each prompt."""
    first: dict[str, Sample] = {}
    last: dict[str, Sample] = {}
    for one in samples:
        first.setdefault(one.title, one)
        last[one.title] = one
    return [(first[title], last[title]) for title in first]
