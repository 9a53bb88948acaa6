"""Settings in a few words."""

import pytest

from curation.filters.catalogue import CHECKS
from curation.filters.request import FilterRequest
from curation.filters.stage import Filter
from schemas.errors import InputError


def test_nothing_asked_for_is_the_default() -> None:
    """A request without words makes the stage with its defaults."""
    assert FilterRequest().stage() == Filter()


def test_checks_can_be_chosen_and_skipped() -> None:
    """`only` turns every other check off, `skip` turns one off."""
    stage = FilterRequest(only=("merged_tasks", "needs_media"), skip=("needs_media",)).stage()

    assert [one.code for one in stage.chosen()] == ["merged_tasks"]


def test_actions_and_thresholds_can_be_set() -> None:
    """Each word changes one setting; a list is separated by commas, a number is read as one."""
    stage = FilterRequest(
        flag=("needs_media",),
        reject=("response_unfinished",),
        settings=("wrong_language.allowed=en, de", "response_repeats.max_ratio=0.4", "url_not_given.action=flag"),
    ).stage()

    assert stage.checks["needs_media"]["action"] == "flag"
    assert stage.checks["response_unfinished"]["action"] == "reject"
    assert stage.checks["wrong_language"]["allowed"] == ["en", "de"]
    assert stage.checks["response_repeats"]["max_ratio"] == 0.4
    assert stage.checks["url_not_given"]["action"] == "flag"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            FilterRequest(only=("ngrams",)),
            f"checks: ngrams: expected one of {', '.join(CHECKS)}, found an unknown check",
        ),
        (
            FilterRequest(settings=("wrong_language.tongue=en",)),
            "checks.wrong_language: tongue: expected one of allowed",
        ),
        (FilterRequest(settings=("wrong_language=en",)), "--set: expected NAME.FIELD=VALUE, found wrong_language=en"),
        (FilterRequest(settings=("response_too_long.max_words=many",)), "checks.response_too_long: max_words"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_: FilterRequest, message: str) -> None:
    """The message names what was asked for and what there is."""
    with pytest.raises(InputError) as caught:
        request_.stage()

    assert str(caught.value).startswith(message)
