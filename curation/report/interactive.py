"""The charts of an interactive report: what Apache ECharts draws of the same numbers, its library within the page.

Each chart is plain data, and every number in it stands in the report's JSON. The page allows only the two scripts that
are in it, by their sha256; it still loads nothing.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from curation.report.counted import Verb
from curation.report.numbers import Report, StepNumbers, TopicMap
from curation.visible import on_one_line
from schemas.codec import dumps

VENDOR = Path(__file__).parent / "vendor"
SCRIPTS = ("echarts.min.js", "charts.js")
LABEL_MOST = 40
CAME_IN = "came in"
OTHERS = "others"
LOST = "✕"
"""What the names of rejected rows begin with; drawn below the kept ones."""


def charts(report: Report) -> dict[str, Any]:
    """Return what each chart shows, by its key: `sankey`, `sunburst` and, where one was made, `map`."""
    found: dict[str, Any] = {"sankey": sankey(report.steps)}
    if report.verbs:
        found["sunburst"] = [_verb(one) for one in report.verbs]
    if report.map:
        found["map"] = _map(report.map)
    return found


def sankey(steps: tuple[StepNumbers, ...]) -> dict[str, Any]:
    """Return rows as they flow from step to step, and out of them by reason."""
    links = list(_links(steps))
    names = dict.fromkeys(name for one in links for name in (one["source"], one["target"]))
    nodes = sorted(({"name": name, "lost": name.startswith(LOST)} for name in names), key=lambda one: bool(one["lost"]))
    return {"nodes": nodes, "links": links}


def _links(steps: tuple[StepNumbers, ...]) -> Iterator[dict[str, Any]]:
    """Yield the flows. A row with two reasons counts under both, so a step's reasons flow out of its rejected rows."""
    before = CAME_IN
    for number, one in enumerate(steps, 1):
        kept, lost = f"{number}. kept by {on_one_line(one.stage)}", f"{LOST} {number}. {on_one_line(one.stage)}"
        if one.kept:
            yield {"source": before, "target": kept, "value": one.kept}
        if one.rejected:
            yield {"source": before, "target": lost, "value": one.rejected}
        for reason in one.reasons:
            yield {
                "source": lost,
                "target": f"{LOST} {on_one_line(reason.key)[:LABEL_MOST]} ({number})",
                "value": reason.count,
            }
        before = kept


def _verb(one: Verb) -> dict[str, Any]:
    things = [{"name": on_one_line(thing.key), "value": thing.count} for thing in one.objects]
    things += [{"name": OTHERS, "value": one.others}] if one.others else []
    return {"name": on_one_line(one.verb), "value": one.count, "children": things}


def _map(found: TopicMap) -> list[list[Any]]:
    topics = [on_one_line(one) for one in found.topics]
    return [[one.x, one.y, one.fate, on_one_line(one.label), topics[one.topic]] for one in found.points]


def charts_json(found: dict[str, Any]) -> Markup:
    """Return the charts as JSON that no text in it can end or escape."""
    text = dumps(found).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  # every sign that HTML gives a meaning was replaced


@cache
def scripts() -> tuple[Markup, ...]:
    """Return the library and our few lines that hand it the charts."""
    return tuple(Markup(_script(name)) for name in SCRIPTS)  # noqa: S704  # files of our own


@cache
def script_sums() -> str:
    """Return what the page's policy allows: these scripts and no others."""
    sums = (base64.b64encode(hashlib.sha256(_script(name).encode()).digest()).decode() for name in SCRIPTS)
    return " ".join(f"'sha256-{one}'" for one in sums)


def _script(name: str) -> str:
    text = (VENDOR / name).read_text(encoding="utf-8")
    assert "</script" not in text.lower()
    return text
