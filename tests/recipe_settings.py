"""What each step of a recipe may be told: the table in docs/reference.md, made from the fields of the stages.

python -m tests.recipe_settings            compares the page with the fields
python -m tests.recipe_settings --write    writes the table into it
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

import orjson

from curation.contamination.stage import Decontaminate
from curation.dedupe.stage import Dedupe
from curation.embedding import ENCODERS
from curation.filters.stage import Filter
from curation.filters.survey import Survey
from curation.generate.contract import FORMS as LIST_FORMS
from curation.generate.raw import FORMS as RAW_FORMS
from curation.generate.source import Generate
from curation.generate.strategies import STRATEGIES
from curation.release.build import Release
from curation.review.planning import AcceptanceFiles
from curation.review.sample import Draw
from curation.review.stage import Review
from curation.score.stage import SCORERS, Scoring
from curation.select.stage import Select
from curation.sources import Validate
from schemas.formats import FORMATS
from schemas.prompt import TEMPLATES
from tests.support import ROOT

PAGE = ROOT / "docs/reference.md"
START, END = "<!-- table: tests/recipe_settings.py -->", "<!-- end of table -->"

SHAPES: Mapping[str, tuple[Any, ...]] = {
    "generate": (Generate,),
    "validate": (Validate,),
    "filter": (Filter,),
    "survey": (Survey,),
    "decontaminate": (Decontaminate,),
    "dedupe": (Dedupe,),
    "score": (Scoring,),
    "select": (Select,),
    "review": (Draw, Review),
    "release": (Release,),
    "report": (AcceptanceFiles,),
}
"""Kind of step → what its settings are fields of; where there are two, the last where a setting of it is named."""

NOT_OURS = {"engine"}
"""Fields that `dolly-data run` sets by its own options."""

RENAMED = {(Draw, "n"): "sample"}

TABLES: Mapping[str, Iterable[str]] = {
    "ENCODERS": ENCODERS,
    "FORMATS": FORMATS,
    "SCORERS": SCORERS,
    "STRATEGIES": STRATEGIES,
    "TEMPLATES": TEMPLATES,
    "contract.FORMS": LIST_FORMS,
    "raw.FORMS": RAW_FORMS,
}
"""What docstrings call by its name in the code; readers of the page want what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a step can be told."""

    kind: str
    name: str
    default: str
    """As it would be written in a recipe."""
    meaning: str

    def row(self) -> str:
        """Return it as a row of the table."""
        return f"| `{self.kind}` | `{self.name}` | {self.default} | {self.meaning} |"


def settings() -> Iterator[Setting]:
    """Yield every setting of every kind of step."""
    for kind, shapes in SHAPES.items():
        for shape in shapes:
            meanings = _meanings(shape)
            for one in fields(shape):
                if one.name not in NOT_OURS:
                    name = RENAMED.get((shape, one.name), one.name)
                    meaning = _in_words(meanings[one.name]) + _choices(one, meanings[one.name])
                    yield Setting(kind=kind, name=name, default=_default(one), meaning=meaning)
        if kind == "select":
            yield Setting(kind=kind, name="seed", default="`1`", meaning="Of the random control.")


def table() -> str:
    """Return the table."""
    rows = "\n".join(one.row() for one in settings())
    return f"| step | setting | default | what it is |\n|---|---|---|---|\n{rows}"


def page(text: str) -> str:
    """Return the reference with the table as it ought to be."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def _default(one: Field[Any]) -> str:
    if one.default is not MISSING:
        return f"`{orjson.dumps(one.default).decode()}`"
    return "`{}`" if one.default_factory is dict else "required"


def _choices(one: Field[Any], meaning: str) -> str:
    """Return the values that a setting may have, where its line does not name them."""
    known = get_args(one.type) if get_origin(one.type) is Literal else ()
    return "" if all(f"`{value}`" in meaning for value in known) else f" One of {_listed(known)}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _in_words(meaning: str) -> str:
    """Return a docstring's first paragraph on one line, with what stands in tables of the code."""
    line = " ".join(meaning.partition("\n\n")[0].split())
    for name, table_ in TABLES.items():
        line = line.replace(f"`{name}`", _listed(table_))
    return re.sub(r"(?<!\\)\|", r"\\|", line)


def _meanings(shape: Any) -> dict[str, str]:
    """Return the line under each field, of the class and of those that it is made of."""
    found: dict[str, str] = {}
    for one in reversed(shape.__mro__[:-1]):
        body = ast.parse(inspect.getsource(one)).body[0]
        assert isinstance(body, ast.ClassDef)
        for line, after in pairwise(body.body):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                assert isinstance(after, ast.Expr), f"{one.__name__}.{line.target.id}: no line says what it is"
                assert isinstance(after.value, ast.Constant)
                found[line.target.id] = str(after.value.value)
    return found


if __name__ == "__main__":
    here = PAGE.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        PAGE.write_text(page(here), encoding="utf-8")
    elif here != page(here):
        sys.exit("the settings of recipes in docs/reference.md are not those of the stages: make docs-write")
