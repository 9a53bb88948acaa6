"""The file croissant.json: the release in MLCommons' Croissant 1.1, with each file's real sha256.

http://mlcommons.org/croissant/1.1 and the Responsible AI vocabulary 1.0. The Hub makes such a file too, but without
sums: whoever reads the data by ours can check it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from curation.release.about import About
from curation.release.licence import LICENCES
from curation.release.rows import COLUMNS, DATA_FILE, MESSAGES_FILE
from curation.visible import on_one_line
from schemas.manifest import FileDigest
from schemas.release import ReleaseFacts

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"
NOWHERE = "https://example.invalid/"
"""The address of a data set that has none yet; by RFC 2606 nothing can ever stand there."""


def croissant(facts: ReleaseFacts, about: About, date: str, files: Iterable[FileDigest]) -> bytes:
    """Return the text of croissant.json; `files` are those of the release that hold rows."""
    known = LICENCES.get(facts.license)
    return _written(
        {
            "@context": CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": [
                "http://mlcommons.org/croissant/1.1",
                "http://mlcommons.org/croissant/RAI/1.0",
            ],
            "name": on_one_line(facts.title),
            "description": _description(facts),
            "url": about.url or NOWHERE,
            "license": known.url if known else on_one_line(facts.license) or "not stated",
            "creator": [{"@type": "sc:Organization", "name": one} for one in about.creators or ("not stated",)],
            "datePublished": date,
            "version": facts.version,
            "inLanguage": list(about.languages),
            "citeAs": about.citation or f"{on_one_line(facts.title)} {facts.version}, rows sha256 {facts.digest}",
            "keywords": ["instruction tuning", "text generation", *(["synthetic"] if facts.generators else [])],
            "distribution": [_file(one) for one in files],
            "recordSet": [_rows(), _messages()],
            **_responsible(facts, about),
        }
    )


def _written(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def _description(facts: ReleaseFacts) -> str:
    return f"{facts.rows:,} instruction/response pairs to tune language models. {facts.gate.sentence}"


def _file(one: FileDigest) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": one.path,
        "name": one.path,
        "contentUrl": one.path,
        "contentSize": f"{one.bytes} B",
        "encodingFormat": PARQUET,
        "sha256": one.sha256,
    }


def _rows() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "default",
        "name": "default",
        "description": "One row a record.",
        "key": {"@id": "default/content_sha256"},
        "field": [
            _field("default", name, what, DATA_FILE, name, is_list=kind == "list")
            for name, (kind, what) in COLUMNS.items()
        ],
    }


def _messages() -> dict[str, Any]:
    asked = _field("messages", "messages", "The question and its answer.", MESSAGES_FILE, "messages")
    del asked["dataType"], asked["source"]
    parts = {"role": "user or assistant.", "content": "What is said."}
    asked["repeated"] = True
    asked["subField"] = [
        {
            **_field("messages/messages", name, what, MESSAGES_FILE, "messages"),
            "source": {
                "fileObject": {"@id": MESSAGES_FILE},
                "extract": {"column": "messages"},
                "transform": {"jsonPath": name},
            },
        }
        for name, what in parts.items()
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "messages",
        "name": "messages",
        "description": "The same records as conversations of one question and one answer.",
        "field": [_field("messages", "id", COLUMNS["id"][1], MESSAGES_FILE, "id"), asked],
    }


def _field(inside: str, name: str, what: str, file: str, column: str, *, is_list: bool = False) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{inside}/{name}",
        "name": name,
        "description": what,
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
        **({"isArray": True, "arrayShape": "-1"} if is_list else {}),
    }


def _responsible(facts: ReleaseFacts, about: About) -> dict[str, Any]:
    """Return what the Responsible AI vocabulary asks, where the run or its makers know it."""
    models = [f"{one.model} ({one.rows:,} records)" for one in facts.generators]
    found: Mapping[str, Any] = {
        "rai:dataCollection": about.collection,
        "rai:dataCollectionType": ["Synthetic"] if facts.generators else [],
        "rai:dataPreprocessingProtocol": [f"{one.stage}: {one.kept:,} of {one.rows:,} kept" for one in facts.lineage],
        "rai:dataAnnotationProtocol": facts.gate.sentence,
        "rai:machineAnnotationTools": models,
        "rai:personalSensitiveInformation": about.personal,
        "rai:dataBiases": about.biases,
        "rai:dataLimitations": about.limits,
        "rai:dataUseCases": about.uses,
        "rai:dataReleaseMaintenancePlan": about.maintenance,
        "prov:wasDerivedFrom": [sum_ for one in facts.lineage[:1] for sum_ in one.inputs],
        "prov:wasGeneratedBy": [one.model for one in facts.generators],
    }
    return {name: value for name, value in found.items() if value}
