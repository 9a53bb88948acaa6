"""The card of a tuned model says what it is, under which terms, and how it is used; the Hub reads it."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from training.checkpoint.checkpoint import RunRecord, read_run
from training.report.model_card import forbids_commerce, model_card


def head(card: str) -> dict[str, object]:
    """Return the card's front matter."""
    found: dict[str, object] = yaml.safe_load(card.split("---\n")[1])
    return found


def licensed(run: RunRecord, data: str, base: str = "apache-2.0", terms: str = "open") -> RunRecord:
    """Return a run with these licences."""
    return replace(
        run, data=replace(run.data, licence=data, terms=terms, title="me/colours"), base=replace(run.base, licence=base)
    )


def test_the_hub_takes_it(tuned: Path) -> None:
    """Read by the Hub's own library, with what its pages show."""
    from huggingface_hub import ModelCard, ModelCardData  # noqa: PLC0415  # heavy

    card = ModelCard(model_card(licensed(read_run(tuned), "cc-by-nc-4.0")))

    assert isinstance(card.data, ModelCardData)
    assert card.data.license == "cc-by-nc-4.0"
    assert card.data.datasets == ["me/colours"]
    assert card.data.base_model
    assert card.data.library_name == "transformers"
    assert card.data.tags
    assert card.data.pipeline_tag == "text-generation"


def test_data_that_forbids_commerce_forbids_it_to_the_model(tuned: Path) -> None:
    """Alpaca's licence, as Dolly had to take it."""
    run = read_run(tuned)

    forbidden, free = (model_card(licensed(run, name)) for name in ("cc-by-nc-4.0", "cc-by-4.0"))

    assert "Not for commercial use" in forbidden
    assert "Not for commercial use" not in free
    assert head(free)["license"] == "apache-2.0"


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [
        ("CC BY-NC 4.0", True),
        ("cc-by-nc-sa-4.0", True),
        ("Non-Commercial licence", True),
        ("ncsa", False),
        ("mit", False),
    ],
)
def test_a_licence_that_forbids_commerce_is_known_by_its_name(licence: str, forbids: bool) -> None:
    """Not by letters that happen to stand within it."""
    assert forbids_commerce(licence) is forbids


def test_a_licence_that_the_hub_does_not_know_is_other(tuned: Path) -> None:
    """With its name; the Hub refuses unknown ids."""
    found = head(model_card(licensed(read_run(tuned), "", base="My own terms")))

    assert (found["license"], found["license_name"]) == ("other", "my own terms")


def test_differences_from_the_recipe_and_the_check_are_told(tuned: Path) -> None:
    """Each with the original value."""
    run = read_run(tuned)

    card = model_card(run).replace("\\", "")  # what is escaped is shown

    assert all(one.setting in card for one in run.differences)
    assert "prompts are those of the model in memory" in card
    assert "transformers serve" in card
    assert "dolly-train export" in card


def test_terms_of_the_models_that_wrote_records_are_told(tuned: Path) -> None:
    """In the words of the release."""
    assert "non-compete" in model_card(licensed(read_run(tuned), "", terms="non-compete")).replace("\\", "")
