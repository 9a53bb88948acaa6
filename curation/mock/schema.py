"""JSON that fits a JSON Schema, with texts of the kind that the names of its properties promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from curation.mock import words

INSTRUCTIONS = ("instruction", "task", "question", "prompt", "item")
CONTEXTS = ("context", "input", "text", "passage")
COUNT = 3
"""Items of a list whose length nobody says."""
DEPTH_MOST = 12
"""A schema that goes deeper, or round in a circle, is filled with nulls from there."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Fills one schema."""

    root: Schema
    """The whole schema, where references point."""
    chance: Random
    category: str = ""
    count: int = 0
    """Items that lists are to have; 0: nobody said."""

    def value(self, schema: Schema, name: str = "", about: str = "", depth: int = 0) -> Any:
        """Return a value that fits `schema`, for the property `name` of an object that speaks `about` something."""
        schema = self._resolved(schema)
        if depth > DEPTH_MOST:
            return None
        if "const" in schema:
            return schema["const"]
        if options := schema.get("enum"):
            return self.category if self.category in options else self.chance.choice(options)
        return self._typed(schema, name, about, depth)

    def _typed(self, schema: Schema, name: str, about: str, depth: int) -> Any:
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self.value(schema.get("items", {}), name, "", depth + 1) for _ in range(self._length(schema))]
            case "integer" | "number":
                low = schema.get("minimum", 0)
                return self.chance.randint(int(low), int(schema.get("maximum", low + 9)))
            case "boolean":
                return self.chance.random() < 0.5  # noqa: PLR2004  # a coin
            case "null":
                return None
        return self._text(name, about)[: schema.get("maxLength")]

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, part in schema.get("properties", {}).items():
            about = " ".join(text for text in made.values() if isinstance(text, str))
            made[name] = self.value(part, name, about, depth + 1)
        return made

    def _length(self, schema: Schema) -> int:
        wanted = max(self.count or COUNT, int(schema.get("minItems", 0)))
        return min(wanted, int(schema.get("maxItems", wanted)))

    def _text(self, name: str, about: str) -> str:
        lowered = name.lower().rstrip("s")
        if lowered in INSTRUCTIONS:
            return words.instruction(self.chance, self.category)
        if lowered in CONTEXTS:
            return words.passage(self.chance)
        if lowered == "category":
            return self.category or "open_qa"
        return words.response(self.chance, about)

    def _resolved(self, schema: Schema) -> Schema:
        if not isinstance(schema, Mapping):
            return {}
        if isinstance(path := schema.get("$ref"), str):
            found: Any = self.root
            for step in filter(None, path.lstrip("#").split("/")):
                found = found.get(step, {}) if isinstance(found, Mapping) else {}
            return found if isinstance(found, Mapping) else {}
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        return self._resolved(next((one for one in options if _type(one) != "null"), {})) if options else schema


def _type(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else str(kind)
