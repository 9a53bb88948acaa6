"""Every error that is the request's or the data's fault, not a bug.

    DollyError              1  the request or the data is wrong
    ├── InputError          1  a file, row or setting cannot be used; names place, field, found, expected
    ├── YieldError          3  generation stopped because its yield dried up
    ├── BudgetError         4  a budget was reached
    ├── EndpointError       5  the endpoint cannot be used
    ├── GateError           6  a release gate was not passed
    └── StoppedError      130  a signal ended long work; what it had done is on disk

The number is the exit code. A bug is none of these and is left to crash.
"""


class DollyError(Exception):
    """A request that cannot be carried out, said in words for the person who made it."""

    exit_code = 1


class InputError(DollyError):
    """A file, row or setting that cannot be used: `place: field: expected …, found …`."""

    def __init__(
        self, message: str = "", *, place: object = "", field: str = "", expected: str = "", found: str = ""
    ) -> None:
        """Build the message from its parts; `message` replaces the expected/found clause."""
        clause = message or f"expected {expected}, found {found}"
        super().__init__(": ".join(part for part in (str(place), field, clause) if part))


class YieldError(DollyError):
    """Generation stopped because too few of its answers were kept."""

    exit_code = 3


class BudgetError(DollyError):
    """A budget was reached before the request was complete."""

    exit_code = 4


class EndpointError(DollyError):
    """The model endpoint cannot be used: wrong key, unknown model, nobody there."""

    exit_code = 5


class GateError(DollyError):
    """A release gate was not passed."""

    exit_code = 6


class StoppedError(DollyError):
    """A signal ended long work; the same command goes on from what is on disk."""

    exit_code = 130
