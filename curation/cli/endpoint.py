"""`dolly-data endpoint`: what an endpoint can do, before a run is trusted to it."""

from typing import TYPE_CHECKING

import click

from curation.cli.base import echo_event

if TYPE_CHECKING:
    from curation.generate.check import Ability, Report

ANSWERS = {True: "yes", False: "no", None: "?"}


@click.group()
def endpoint() -> None:
    """Look at an OpenAI-compatible endpoint."""


@endpoint.command()
@click.argument("base_url")
@click.option("--model", default="", help="One of its models; default: the first that it lists.")
@click.option("--at-once", default=8, show_default=True, help="Requests at a time, to measure its speed with.")
@click.option("--seconds", default=9.0, show_default=True, help="Most time for all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON line.")
def check(base_url: str, model: str, at_once: int, seconds: float, as_json: bool) -> None:
    """Say what the endpoint at BASE_URL can do, what it allows and how fast it is.

    Each ability is shown by an answer that would be another one without it: that a server accepts a parameter does not
    mean that it heeds it. Costs some 700 tokens; the key is read from OPENAI_API_KEY.
    """
    import asyncio
    from dataclasses import asdict

    from curation.generate.check import check_endpoint

    report = asyncio.run(check_endpoint(base_url, model, at_once=at_once, seconds=seconds))
    echo_event({"event": "checked", **asdict(report)}, _text(report), as_json=as_json)


def _text(report: "Report") -> str:
    listed = "lists no models" if report.models is None else f"lists {report.models:,} models"
    lines = [f"{report.place}, model {report.model} ({listed})", ""]
    lines += [_line(ability) for ability in report.abilities.values()]
    lines += ["", *(f"{name}: {value}" for name, value in report.limits.items())]
    lines += [] if report.limits else ["says nothing of limits"]
    return "\n".join([*lines, _speed(report)])


def _line(ability: "Ability") -> str:
    found = " ".join(ability.found.split())
    why = f"  {found}" if found and not ability.able else ""
    return f"{ability.what:38} {ANSWERS[ability.able]:3}{why}".rstrip()


def _speed(report: "Report") -> str:
    first = "?" if report.first_token_s is None else f"{report.first_token_s:.2f} s"
    alone = "?" if report.tokens_per_s is None else f"{report.tokens_per_s:,.0f}"
    together = "?" if report.tokens_per_s_at_once is None else f"{report.tokens_per_s_at_once:,.0f}"
    return f"first token after {first}, then {alone} tokens/s; {together} tokens/s with {report.at_once} at a time"
