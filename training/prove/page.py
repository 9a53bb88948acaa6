"""The result as one page that needs nothing else: the verdict first, then what it rests on."""

from pathlib import Path

import orjson

from training.markup import template
from training.prove.drawing import COLOURS, curves, forest
from training.prove.result import ProveResult


def write_page(result: ProveResult, path: Path) -> None:
    """Write the page."""
    path.write_text(page(result), encoding="utf-8")


def page(result: ProveResult) -> str:
    """Return the page: no script, nothing loaded from anywhere."""
    protocol = orjson.dumps(orjson.loads(result.protocol.json()), option=orjson.OPT_INDENT_2).decode()
    return template("prove.html.j2").render(
        result=result,
        forest=forest(result),
        curves=curves(result),
        protocol=protocol,
        colours=COLOURS,
        tones={"gain": "gain", "harm": "harm"},
    )
