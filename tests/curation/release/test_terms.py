"""A licence promises no more than the models' makers allow, or somebody answers for it by name."""

from pathlib import Path

import pytest

from curation.release.build import Release, release
from curation.release.licence import LICENCES, SPDX, looser_than, read_waiver
from schemas.directory import read_manifest
from schemas.errors import GateError
from schemas.record import Provenance
from tests.support import pair, step_of


def built(tmp_path: Path, models: list[str], **settings: str) -> Path:
    """Return a release whose records these models wrote."""
    records = [pair(f"Name {n}.", provenance=Provenance(model=model)) for n, model in enumerate(models)]
    release(step_of(tmp_path / "step", records), tmp_path / "rel", Release(**settings))
    return tmp_path / "rel"


@pytest.mark.parametrize(
    ("licence", "terms", "allowed"),
    [
        ("apache-2.0", "open", True),
        ("cc-by-4.0", "no-compete", False),
        ("cc-by-nc-4.0", "no-compete", True),
        ("cc-by-nc-4.0", "non-commercial", True),
        ("mit", "non-commercial", False),
        ("mit", "custom", False),
        ("cc-by-nc-4.0", "custom", False),
        ("mit", "unknown", False),
        ("Company Licence", "open", True),
        ("Company Licence", "no-compete", False),
        ("", "no-compete", True),
    ],
)
def test_what_a_licence_may_promise(licence: str, terms: str, allowed: bool) -> None:
    """No licence grants nothing; what one's own licence grants is not known here."""
    assert (looser_than(licence, terms) == "") is allowed


def test_a_looser_licence_fails_and_names_the_models(tmp_path: Path) -> None:
    """With the gate's exit code; nothing is left behind."""
    with pytest.raises(GateError, match=r"gpt-4o \(no-compete\)") as refused:
        built(tmp_path, ["smollm2-135m", "gpt-4o"], license="cc-by-4.0")

    assert refused.value.exit_code == 6
    assert not (tmp_path / "rel").exists()


def test_a_model_that_wrote_only_the_instruction_binds_too(tmp_path: Path) -> None:
    """A record carries the strictest class of all that wrote it."""
    import pyarrow.parquet as pq  # noqa: PLC0415  # only here

    record = pair(provenance=Provenance(model="smollm2-135m", terms="no-compete"))
    step = step_of(tmp_path / "step", [record])

    with pytest.raises(GateError, match="a model that wrote a part of them"):
        release(step, tmp_path / "rel", Release(license="mit"))
    release(step, tmp_path / "rel", Release(license="cc-by-nc-4.0"))

    facts = read_manifest(tmp_path / "rel").release
    assert facts is not None
    assert facts.terms == "no-compete"
    assert pq.read_table(tmp_path / "rel" / "data").column("terms").to_pylist() == ["no-compete"]


def test_somebody_may_answer_for_it(tmp_path: Path) -> None:
    """By name and with a reason, which stand in notice, card and manifest."""
    folder = built(tmp_path, ["gpt-4o"], license="cc-by-4.0", waive_terms="Ada Byron: our contract allows it.")

    facts = read_manifest(folder).release
    assert facts is not None
    assert facts.waiver is not None
    assert (facts.terms, facts.waiver.by) == ("no-compete", "Ada Byron")
    for name in ("NOTICE", "README.md"):
        text = (folder / name).read_text()
        assert "Ada Byron" in text
        assert "our contract allows it." in text


@pytest.mark.parametrize("waiver", ["Ada", "Ada:", ": because"])
def test_a_waiver_has_a_name_and_a_reason(waiver: str) -> None:
    """Or it is none."""
    with pytest.raises(GateError, match="NAME: REASON"):
        read_waiver(waiver)


def test_the_notice_names_every_model_with_its_terms(tmp_path: Path) -> None:
    """And how many records each wrote; the rows carry the class."""
    import pyarrow.parquet as pq  # noqa: PLC0415  # only here

    folder = built(tmp_path, ["smollm2-135m", "smollm2-135m", "gpt-4o", "a-model-of-ours", ""])

    text = (folder / "NOTICE").read_text()
    terms = pq.read_table(folder / "data").column("terms").to_pylist()
    assert "smollm2-135m: 2 records; open; Apache-2.0" in text
    assert "gpt-4o: 1 records; no-compete; OpenAI terms of use" in text
    assert "a-model-of-ours: 1 records; unknown; its terms are not known here" in text
    assert "The strictest of them binds the whole: no-compete." in text
    assert sorted(terms) == ["", "no-compete", "open", "open", "unknown"]


def test_every_licence_has_its_spdx_name() -> None:
    """As the citation needs it."""
    assert set(SPDX) == set(LICENCES)
