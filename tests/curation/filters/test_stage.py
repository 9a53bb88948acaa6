"""The stage `filter`: what becomes of records, and which settings it takes."""

import pickle
from typing import Any

import pytest

from curation.filters.catalogue import CHECKS, choose
from curation.filters.stage import Filter, Verdict, judge, verdicts
from schemas.codec import as_config, read_config
from schemas.errors import InputError
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Reason, Repair

GOOD = InstructionRecord(instruction="Name a landmark in Paris.", response="The Eiffel Tower is one.")
MARKED = InstructionRecord(
    instruction="Name a landmark in Paris.", context="<noinput>", response="The Eiffel Tower is one."
)
UNFINISHED = InstructionRecord(
    instruction="Tell me of the harbour.",
    response="The harbour was built in 1850. It has two quays. Boats leave at dawn today",
)


class Listener:
    """An aside that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, int | None]] = []

    def leave(self, name: str, row: Any) -> None:
        """Take a row; this stage leaves none."""
        raise AssertionError(name)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Remember how far the stage has come."""
        self.heard.append((what, done, total))


def outcome(record: InstructionRecord, **checks: dict[str, Any]) -> Any:
    """Apply the stage to one record."""
    return next(iter(Filter(checks=checks)([record])))


def test_a_good_record_is_kept_as_it_is() -> None:
    """Where no check finds anything, the very record comes out."""
    assert outcome(GOOD) is GOOD


def test_a_marker_is_repaired_and_written_down() -> None:
    """A repair changes the field, keeps the old value and the former id, and keeps the record."""
    kept = outcome(MARKED)

    assert kept.context == ""
    assert kept.repairs == (Repair(code="no_input_marker", field="context", old="<noinput>", new=""),)
    assert kept.provenance.previous == (MARKED.id,)
    assert kept.id != MARKED.id


def test_all_reasons_of_a_rejected_record_are_collected() -> None:
    """A record with two defects is rejected once, with both reasons."""
    both = InstructionRecord(instruction="Draw a cat.", response="<nooutput>")

    rejection = outcome(both)

    assert isinstance(rejection, Rejection)
    assert [reason.code for reason in rejection.reasons] == ["response_placeholder", "needs_media"]


def test_checks_see_the_repaired_record_and_rejections_hold_the_row_as_it_came_in() -> None:
    """What a repair uncovers is found, and the rejected row is still the one that came in, under its own id."""
    dangling = InstructionRecord(
        instruction="Describe the artist's style in this painting.", context="No input", response="Bold brushstrokes."
    )

    rejection = outcome(dangling)

    assert [reason.code for reason in rejection.reasons] == ["dangling_reference"]
    assert rejection.row["context"] == "No input"
    assert rejection.id == dangling.id


def test_a_flag_keeps_the_record() -> None:
    """A check whose action is flag leaves its reason on the kept record."""
    kept = outcome(UNFINISHED)

    assert [flag.code for flag in kept.flags] == ["response_unfinished"]
    assert kept.id == UNFINISHED.id


@pytest.mark.parametrize(
    ("action", "expected"),
    [("reject", ["no_input_marker"]), ("flag", []), ("off", [])],
)
def test_an_action_can_be_chosen(action: str, expected: list[str]) -> None:
    """A recipe may turn a repair into a rejection, a flag, or nothing."""
    came = outcome(MARKED, no_input_marker={"action": action})

    reasons = [reason.code for reason in came.reasons] if isinstance(came, Rejection) else []
    assert reasons == expected
    assert isinstance(came, Rejection) or came.context == "<noinput>"
    assert isinstance(came, Rejection) or bool(came.flags) == (action == "flag")


def test_a_threshold_can_be_chosen() -> None:
    """A recipe may change a threshold, and the reason tells the limit that was applied."""
    rejection = outcome(GOOD, response_too_long={"max_words": 3})

    assert rejection.reasons == (
        Reason(code="response_too_long", field="response", found="5 words", limit="at most 3 words"),
    )


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ({"respnse_too_long": {}}, "checks: respnse_too_long: expected one of no_input_marker"),
        ({"response_too_long": {"most": 3}}, "checks.response_too_long: most: expected one of max_words"),
        ({"response_too_long": {"max_words": "many"}}, "checks.response_too_long: max_words"),
        (
            {"response_too_long": {"action": "drop"}},
            "checks.response_too_long: action: expected one of reject, flag, off",
        ),
        ({"response_too_long": {"action": "repair"}}, "expected one of reject, flag, off, found 'repair'"),
        ({"wrong_language": {"detector": "ears"}}, "wrong_language: detector: expected one of py3langid, langdetect"),
    ],
)
def test_unknown_names_and_values_are_refused(checks: dict[str, dict[str, Any]], message: str) -> None:
    """A request that names something that is not there is answered with what there is."""
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        Filter(checks=checks)


def test_the_settings_are_complete_and_can_be_read_back() -> None:
    """The manifest's config names every check with all it was set to, and makes an equal stage again."""
    stage = Filter(checks={"wrong_language": {"allowed": ["en", "de"]}, "needs_media": {"action": "off"}})

    config = as_config(stage)

    assert list(config["checks"]) == list(CHECKS)
    assert config["checks"]["wrong_language"]["allowed"] == ["en", "de"]
    assert config["checks"]["wrong_language"]["min_confidence"] == 0.5
    assert config["checks"]["needs_media"] == {"action": "off"}
    assert read_config(Filter, config, "recipe") == stage


def test_progress_is_told_to_the_end() -> None:
    """The stage says how many records it has judged."""
    listener = Listener()

    list(Filter()([GOOD] * 1500, listener))

    assert listener.heard == [("records", 1000, None), ("records", 1500, 1500)]


def test_verdicts_name_every_check_that_runs() -> None:
    """For explain: each check's answer, passed or not, the repairs first, the rest on the repaired record."""
    chosen = Filter(checks={"needs_media": {"action": "off"}}).chosen()

    said = verdicts(MARKED, chosen)

    assert [verdict.code for verdict in said] == [code for code in CHECKS if code != "needs_media"]
    assert [verdict for verdict in said if verdict.finding] == [
        Verdict(code="no_input_marker", action="repair", finding=choose("no_input_marker", {}).check(MARKED))
    ]


def test_a_chosen_check_travels_to_another_process() -> None:
    """What judges a record is plain data, so that a pool or a cluster can be given it."""
    chosen = Filter().chosen()

    travelled = pickle.loads(pickle.dumps(chosen))

    assert travelled == chosen
    assert judge(MARKED, travelled) == judge(MARKED, chosen)
