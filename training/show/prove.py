"""How a comparison reads on a terminal, or as JSON lines for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from training.markup import percent, visible
from training.prove.estimate import Outlook
from training.prove.prepare import Prepared
from training.prove.protocol import PROTOCOL, Protocol
from training.prove.result import Compared, ProveResult
from training.prove.runs import arm_facts

SHOWN = 5
"""Overlapping test prompts that are named on the terminal."""


def begun_text(prepared: Prepared, protocol: Protocol) -> str:
    """Return what is about to be compared, and the protocol's digest."""
    budget, tests = prepared.budget, protocol.test
    each = f"{budget.steps:,} steps of {budget.tokens_per_step:,} response tokens, {budget.tokens:,} in all"
    where = f"{len(protocol.seeds)} seeds, {prepared.plan.precision} on {prepared.plan.device.type}"
    sees = f"{protocol.smallest_effect:.4f} nats per token, found with {percent(protocol.expected_power)}"
    lines = [
        *_table([("arm", "records", "response tokens", "passes"), *map(_arm_row, arm_facts(prepared))]),
        f"every arm: {each}; {where}",
        f"test: {tests['prompts']:,} prompts, {tests['response_tokens']:,} response tokens; {_left_out(prepared)}",
        *(f"  {one.id}  {one.rule}  {one.other}" for one in prepared.removed[:SHOWN]),
        f"decides: {protocol.contrasts[0].name}; smallest effect {sees} ({protocol.spread.source})",
        f"protocol sha256 {protocol.sha256}",
    ]
    return "\n".join(lines)


def begun_json(prepared: Prepared, protocol: Protocol) -> str:
    """Return the same as one JSON line."""
    arms = [asdict(one) for one in arm_facts(prepared)]
    return _event("protocol", sha256=protocol.sha256, arms_drawn=arms, **asdict(protocol))


def outlook_text(prepared: Prepared, protocol: Protocol, seen: Outlook) -> str:
    """Return what a comparison will take and can show."""
    effects = ", ".join(f"{seeds} seeds {effect:.4f}" for seeds, effect in seen.smallest)
    return "\n".join(
        [
            begun_text(prepared, protocol),
            f"{seen.runs} runs, about {seen.minutes:,.1f} minutes here",
            f"smallest effect: {effects}",
            f"dry run: no protocol was fixed; it would be {prepared.request.out / PROTOCOL}",
        ]
    )


def outlook_json(prepared: Prepared, protocol: Protocol, seen: Outlook) -> str:
    """Return the same as one JSON line."""
    return _event("outlook", protocol=orjson.loads(begun_json(prepared, protocol)), **asdict(seen))


def proved_text(result: ProveResult, page: Path) -> str:
    """Return the verdict and every difference."""
    head = ("", "against", "difference", "95 % interval", "p", "")
    rows = [_contrast_row(one) for one in result.contrasts]
    back = [
        f"{one.percent} % planted: {percent(one.share)} of the lost loss won back ({_end(one.low)} to {_end(one.high)})"
        for one in result.recovered
    ]
    lines = [f"{result.verdict.capitalize()}: {result.sentence}", *_table([head, *rows]), *back, *_reached(result)]
    return "\n".join([*lines, f"protocol sha256 {result.protocol_sha256}", f"wrote {page}"])


def proved_json(result: ProveResult, page: Path) -> str:
    """Return the result as one JSON line; the protocol by its digest alone."""
    row = {name: value for name, value in asdict(result).items() if name != "protocol"}
    return _event("proved", page=str(page), **row)


def _reached(result: ProveResult) -> list[str]:
    arm = next(one for one in result.arms if one.name == result.primary.arm)
    if arm.reach is None:
        return []
    target = f"the last loss of {result.reference}"
    if arm.reach.share is None:
        return [f"{arm.name} does not reach {target}"]
    between = f"{_end(arm.reach.earliest)} to {_end(arm.reach.latest)}"
    return [f"{arm.name} reaches {target} with {percent(arm.reach.share)} of the tokens ({between})"]


def _end(value: float | None) -> str:
    return "open" if value is None else percent(value)


def _contrast_row(one: Compared) -> tuple[str, ...]:
    p_value = one.p_value if one.p_adjusted is None else one.p_adjusted
    between = f"{one.low:+.4f} to {one.high:+.4f}"
    return one.arm, one.against, f"{one.difference:+.4f}", between, f"{p_value:.3f}", one.kind


def _arm_row(one: Any) -> tuple[str, ...]:
    return one.name, f"{one.records:,}", f"{one.tokens:,}", f"{one.passes:.2f}"


def _left_out(prepared: Prepared) -> str:
    long = f", {prepared.too_long:,} longer than the model or the settings take" if prepared.too_long else ""
    return f"left out {len(prepared.removed):,} that an arm has seen{long}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    rows = [[visible(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _event(name: str, **values: Any) -> str:
    return orjson.dumps({"event": name, **values}).decode()
