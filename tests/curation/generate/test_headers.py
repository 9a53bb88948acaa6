"""What endpoints say of their limits, in the many ways they say it."""

import pytest

from curation.generate.headers import NO_LIMITS, Limits, read_limits, seconds

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20", 20.0),
        ("0.25", 0.25),
        ("1s", 1.0),
        ("20ms", 0.02),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("1800000007", 7.0),
        ("1800000007000", 7.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("2027-01-15T08:00:12Z", 12.0),
        ("2027-01-15T07:59:00Z", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("nan", None),
    ],
)
def test_a_span_or_a_moment_is_so_many_seconds_away(text: str, expected: float | None) -> None:
    """Spans with and without units, Unix times, HTTP and ISO dates; the past is now, and nonsense is nothing."""
    assert seconds(text, NOW) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Rate limit reached. Please try again in 1.2s.", Limits(wait_s=1.2)),
        ("Please try again in 500ms.", Limits(wait_s=0.5)),
        ("retry after 2 minutes", Limits(wait_s=120.0)),
        ("Please wait 7 seconds", Limits(wait_s=7.0)),
        ("Limit 500 / min. Please slow down.", Limits(per_s=500 / 60)),
        ("limit: 1,200 requests per minute", Limits(per_s=20.0)),
        ("You have reached your concurrency limit of 39", Limits(at_once=39)),
        ("Too many requests.", NO_LIMITS),
    ],
)
def test_numbers_in_words_are_heeded(words: str, expected: Limits) -> None:
    """Some providers say their limits nowhere else (DeepSeek, OpenAI's older models)."""
    assert read_limits({}, words, NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, Limits(wait_s=3.0)),
        ({"retry-after-ms": "40", "retry-after": "1"}, Limits(wait_s=0.04)),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, Limits(wait_s=30.0)),
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-requests": "1s",
            },
            Limits(left=59, most=60, reset_s=1.0),
        ),
        (
            {
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            Limits(left=0, reset_s=360.0),
        ),
        ({"x-ratelimit-remaining": "2", "x-ratelimit-reset": "1800000009"}, Limits(left=2, reset_s=9.0)),
        ({"x-ratelimit-remaining-requests": "many"}, NO_LIMITS),
        ({}, NO_LIMITS),
    ],
)
def test_headers_are_heeded(headers: dict[str, str], expected: Limits) -> None:
    """Of requests and tokens the tighter limit counts."""
    assert read_limits(headers, "", NOW) == expected
