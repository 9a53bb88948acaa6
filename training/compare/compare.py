"""Several models on the same prompts, one after the other, and the numbers that show what tuning changed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from schemas.directory import version
from schemas.manifest import digest_file
from schemas.outcome import SILENT, Aside
from training.answers.questions import read_held_out, read_questions
from training.answers.respond import Answer, Sampling
from training.answers.rules.counts import words_of
from training.compare.comparison import Comparison, Difference, Lengths, ModelResult
from training.compare.endpoint import Endpoint
from training.compare.heldout import NATS_PER_TOKEN
from training.compare.judging import Judgement, judge_pair
from training.compare.measures import Numbers, Parts, by_kind, differences, measure, numbers
from training.compare.participants import Origins, Said, Task, alike, ask_endpoint, ask_model, check_names, find_origins


def compare(
    names: Sequence[str],
    prompts: Path,
    *,
    sampling: Sampling,
    held_out: Path | None = None,
    template: str = "",
    endpoints: Sequence[Endpoint] = (),
    judge: Endpoint | None = None,
    aside: Aside = SILENT,
) -> Comparison:
    """Ask every model every prompt, one model in memory at a time; `template` is for those that bring none.

    Raises:
        InputError: an unusable model, prompt or held-out record; all are looked for before any model is loaded.
        EndpointError: an endpoint that cannot be used.
    """
    check_names(names, endpoints, aside)
    questions = read_questions(prompts)
    records = read_held_out(held_out) if held_out else ()
    task = Task(questions=questions, held_out=records, sampling=sampling, template=template, aside=aside)
    elsewhere = [ask_endpoint(one, task) for one in endpoints]  # first: what cannot be reached is known at once
    said = alike([*(ask_model(name, task) for name in names), *elsewhere])
    origins = find_origins(names, records)
    parts = [_parts(task, one, origins) for one in said]
    return Comparison(
        questions=questions,
        results=tuple(_result(task, one, part, origins) for one, part in zip(said, parts, strict=True)),
        differences=_differences(task, said, parts),
        sampling=sampling,
        prompts=prompts.stem,
        prompts_sha256=digest_file(prompts).sha256,
        held_out=held_out.name if held_out else "",
        held_out_records=len(records),
        held_out_left_out=max(one.left_out for one in said),
        one_tokenizer=_one_tokenizer(said),
        judgements=_judge(judge, task, said),
        version=version(),
    )


def _parts(task: Task, said: Said, origins: Origins) -> dict[str, Parts]:
    return measure(task.questions, said.answers, origins.responses) | said.losses


def _result(task: Task, said: Said, parts: dict[str, Parts], origins: Origins) -> ModelResult:
    return ModelResult(
        name=said.name,
        kind=said.kind,
        template=said.template,
        answers=said.answers,
        numbers={name: numbers(name, found, _categories(task, said, name)) for name, found in parts.items()},
        constraints=by_kind(task.questions, said.answers),
        lengths=_lengths(said.answers),
        provenance=origins.provenances.get(said.name),
    )


def _differences(task: Task, said: Sequence[Said], parts: Sequence[dict[str, Parts]]) -> tuple[Difference, ...]:
    """Return what each other model differs in from the first; nats a token only between like tokenizers."""
    first = parts[0]
    skipped = set() if _one_tokenizer(said) else {NATS_PER_TOKEN}

    def of(place: int) -> dict[str, Numbers]:
        shared = [name for name in parts[place] if name in first and name not in skipped]
        return {
            name: differences(name, first[name], parts[place][name], _categories(task, said[place], name))
            for name in shared
        }

    return tuple(
        Difference(name=said[place].name, than=said[0].name, numbers=of(place)) for place in range(1, len(said))
    )


def _judge(judge: Endpoint | None, task: Task, said: Sequence[Said]) -> tuple[Judgement, ...]:
    if judge is None:
        return ()
    first = (said[0].name, said[0].answers)
    return tuple(judge_pair(judge, task.questions, first, (one.name, one.answers), task.aside) for one in said[1:])


def _categories(task: Task, said: Said, measure_name: str) -> list[str]:
    """Return the category of each unit of a measure: of the held-out records, or of the prompts."""
    units = task.held_out if measure_name in said.losses else task.questions
    return [one.category for one in units]


def _one_tokenizer(said: Sequence[Said]) -> bool:
    return len({one.token_counts for one in said if one.token_counts}) <= 1


def _lengths(answers: Sequence[Answer]) -> Lengths:
    words = [len(words_of(one.text)) for one in answers]
    low, median, high = (float(one) for one in np.percentile(words, (10, 50, 90)))
    return Lengths(low=low, median=median, high=high, most=max(words))
