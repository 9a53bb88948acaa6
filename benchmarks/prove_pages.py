"""A comparison's page, its numbers and its protocol, put where readers find them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TITLES = {
    "prove_noise": "Does curation give back what defects cost?",
    "prove_alpaca": "Does curating Alpaca buy anything?",
}


def write_pages(result: Mapping[str, Any], out: Path, docs: Path, name: str, command: str) -> None:
    """Write docs/NAME.md, and beside it the page (.html) and the result (.json)."""
    shutil.copyfile(out / "index.html", docs / f"{name}.html")
    shutil.copyfile(out / "result.json", docs / f"{name}.json")
    (docs / f"{name}.md").write_text(page(result, name, command), encoding="utf-8")


def page(result: Mapping[str, Any], name: str, command: str) -> str:
    """Return the page in Markdown: the verdict, the differences, the arms, the command."""
    test, budget, seeds = result["protocol"]["test"], result["protocol"]["budget"], result["protocol"]["seeds"]
    parts = [
        f"# {TITLES[name]}",
        f"**{result['verdict'].capitalize()}**: {result['sentence']}",
        (
            f"{test['prompts']} test responses, {len(seeds)} seeds, {result['recorded']['base']}; "
            f"every arm {budget['steps']} steps of {budget['tokens_per_step']} response tokens."
        ),
        _differences(result),
        _arms(result),
        *_caught(result),
        (
            f"Made by `{command}`; the [page]({name}.html) and [every number]({name}.json), the protocol among them, "
            f"whose sha256 is `{result['protocol_sha256']}`."
        ),
        "What was not tested: " + " ".join(result["not_tested"]),
    ]
    return "\n\n".join(parts) + "\n"


def _differences(result: Mapping[str, Any]) -> str:
    rows = [
        f"| {one['arm']} | {one['against']} | {one['difference']:+.4f} | {one['low']:+.4f} to {one['high']:+.4f} | "
        f"{one['kind']} |"
        for one in result["contrasts"]
    ]
    head = "| arm | against | difference, nats per token | 95 % interval | |\n|--|--|--|--|--|\n"
    return head + "\n".join(rows)


def _arms(result: Mapping[str, Any]) -> str:
    rows = [
        f"| {one['name']} | {one['records']:,} | {sum(one['epochs']) / len(one['epochs']):.2f} | {one['loss']:.4f} | "
        f"{_reach(one['reach'])} |"
        for one in result["arms"]
    ]
    head = f"| arm | records | passes | loss | reaches {result['reference']}'s last loss with |\n|--|--|--|--|--|\n"
    return head + "\n".join(rows)


def _reach(reach: Mapping[str, Any] | None) -> str:
    if reach is None:
        return "-"
    return "does not reach it" if reach["share"] is None else f"{reach['share']:.0%} of the tokens"


def _caught(result: Mapping[str, Any]) -> list[str]:
    """Return what curation found of the planted defects, where any were planted."""
    parts = []
    for share, rows in result["facts"].get("caught", {}).items():
        found = [
            f"| {name} | {row['planted']} | {row['rejected']} | {row['repaired']} |"
            for name, row in rows.items()
            if name != "sound"
        ]
        sound = rows["sound"]
        parts.append(
            f"Of {share} % planted defects curation found these, and lost {sound['rejected']} of {sound['records']} "
            "sound records:"
        )
        parts.append("| defect | planted | rejected | repaired |\n|--|--|--|--|\n" + "\n".join(found))
    for one in result["recovered"]:
        low, high = (f"{end:.0%}" if end is not None else "open" for end in (one["low"], one["high"]))
        parts.append(
            f"Of the loss that {one['percent']} % defects cost, {one['share']:.0%} came back ({low} to {high})."
        )
    return parts
