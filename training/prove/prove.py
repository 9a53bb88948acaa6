"""Does curation buy anything? Prepare, write the protocol, run every arm and seed, and say what came of it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import numpy as np

from schemas.codec import dumps
from schemas.directory import version
from schemas.errors import DollyError
from schemas.outcome import SILENT, Aside
from training.prove.arms import CURATED
from training.prove.design import ProveRequest
from training.prove.estimate import Outlook, outlook
from training.prove.page import write_page
from training.prove.prepare import Prepared, prepare
from training.prove.protocol import Protocol, fix
from training.prove.result import RESULT, ProveResult, conclude
from training.prove.runs import RUNS, run_all
from training.prove.statistics import Spread, power, smallest_effect, spread_of

PILOT = "pilot"
PILOT_SEEDS = 1000
"""What the seeds of a pilot begin after, so that no run of it is a run of the comparison."""
PRIOR = Spread(
    seed_sd=0.01,
    prompt_sd=0.06,
    source="assumed; --pilot measures it",
)
TESTS, REMOVED, PAGE = "test.jsonl", "test-removed.jsonl", "index.html"


def prove(
    request: ProveRequest, aside: Aside = SILENT, announce: Callable[[Prepared, Protocol], None] = lambda *_: None
) -> ProveResult:
    """Run a comparison to its end, or go on where an earlier call stopped; `announce` is called before the first run.

    Raises:
        InputError: data, base, test set or folder cannot be used, or another protocol stands in the folder.
        DollyError: a run failed or the disk is full; finished runs stay.
    """
    prepared = prepare(request, aside)
    spread = measured_spread(prepared, aside) if request.pilot else PRIOR
    protocol = protocol_of(prepared, spread)
    fix(protocol, request.out)
    _write_tests(prepared)
    announce(prepared, protocol)
    scores = run_all(prepared, dict(prepared.arms), protocol.seeds, request.out / RUNS, aside)
    result = conclude(prepared, protocol, scores)
    try:
        (request.out / RESULT).write_bytes(result.json())
        write_page(result, request.out / PAGE)
    except OSError as error:
        raise DollyError(f"{request.out}: {error.strerror or error}") from error
    return result


def look_ahead(request: ProveRequest, aside: Aside = SILENT) -> tuple[Prepared, Protocol, Outlook]:
    """Return what a comparison would be and take. Planted data are written and curated for it; no protocol is fixed.

    Raises:
        InputError: data, base or test set cannot be used.
    """
    prepared = prepare(request, aside)
    protocol = protocol_of(prepared, PRIOR)
    return prepared, protocol, outlook(prepared, protocol)


def seeds_of(request: ProveRequest) -> tuple[int, ...]:
    """Return the seeds of the runs."""
    return tuple(range(request.config.seed, request.config.seed + request.seeds))


def measured_spread(prepared: Prepared, aside: Aside) -> Spread:
    """Run two arms that know nothing of curation, with seeds of their own, and return how much they vary."""
    request = prepared.request
    arms = dict(prepared.arms)
    pair = [name for name in arms if not name.startswith(CURATED)][:2]
    seeds = tuple(range(PILOT_SEEDS + request.config.seed, PILOT_SEEDS + request.config.seed + request.pilot))
    scores = run_all(prepared, {name: arms[name] for name in pair}, seeds, request.out / PILOT, aside)
    first, second = (np.array([run.nats[-1] for run in scores[name]]) for name in pair)
    tokens = np.array([float(one.supervised) for one in prepared.tests])
    return spread_of(second - first, tokens, source=f"pilot: {' against '.join(pair)}, {request.pilot} seeds")


def protocol_of(prepared: Prepared, spread: Spread) -> Protocol:
    """Return what is fixed before the first run."""
    request, tests = prepared.request, len(prepared.tests)
    smallest = request.smallest_effect or smallest_effect(spread, seeds=request.seeds, prompts=tests)
    return Protocol(
        smallest_effect=round(smallest, 6),
        expected_power=round(power(smallest, spread, seeds=request.seeds, prompts=tests), 3),
        spread=spread,
        seeds=seeds_of(request),
        arms=tuple(prepared.arms),
        contrasts=prepared.design.contrasts,
        budget=prepared.budget,
        settings=_settings(prepared),
        base=prepared.base.sha256,
        data={name: one.sha256 for name, one in prepared.design.inputs.items()},
        test={
            "sha256": prepared.test_file.sha256,
            "used_sha256": _sha256(prepared.tests_bytes),
            "prompts": tests,
            "response_tokens": sum(one.supervised for one in prepared.tests),
            "left_out_seen": len(prepared.removed),
            "left_out_too_long": prepared.too_long,
        },
        pilot=request.pilot,
        version=version(),
    )


def _settings(prepared: Prepared) -> Mapping[str, object]:
    """Return the settings of the runs; what the budget decides is left out."""
    decided = {"seed", "epochs", "steps", "rows_per_step", "held_out_rows", "micro_tokens"}
    settings = {name: value for name, value in asdict(prepared.plan.config).items() if name not in decided}
    libraries = {name: metadata.version(name) for name in ("torch", "transformers")}
    return {**settings, "computed_in": prepared.plan.precision, "libraries": libraries}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_tests(prepared: Prepared) -> None:
    out: Path = prepared.request.out
    (out / TESTS).write_bytes(prepared.tests_bytes)
    (out / REMOVED).write_bytes(b"".join(dumps(asdict(one)) + b"\n" for one in prepared.removed))
