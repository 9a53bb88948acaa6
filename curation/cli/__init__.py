"""dolly-data: a command parses, calls one library function, and prints. Heavy packages are imported inside commands."""

from curation.cli.base import CommandTable

COMMANDS = {
    "seeds": "curation.cli.seeds:seeds",
    "generate": "curation.cli.generate:generate",
    "endpoint": "curation.cli.endpoint:endpoint",
    "mock-endpoint": "curation.cli.mock_endpoint:mock_endpoint",
    "validate": "curation.cli.validate:validate",
    "checks": "curation.cli.filter:checks",
    "filter": "curation.cli.filter:filter_",
    "survey": "curation.cli.survey:survey",
    "decontaminate": "curation.cli.decontaminate:decontaminate",
    "dedupe": "curation.cli.dedupe:dedupe",
    "score": "curation.cli.score:score",
    "select": "curation.cli.select:select",
    "restore": "curation.cli.restore:restore",
    "audit": "curation.cli.audit:audit",
    "calibrate": "curation.cli.calibrate:calibrate",
    "review": "curation.cli.review:review",
    "release": "curation.cli.release:release",
    "diff": "curation.cli.diff:diff",
    "report": "curation.cli.report:report",
    "funnel": "curation.cli.funnel:funnel",
    "explain": "curation.cli.explain:explain",
    "run": "curation.cli.run:run",
}
"""Command → where it is; in the order of the way from seeds to release."""

main = CommandTable(
    name="dolly-data",
    table=COMMANDS,
    help="""Make an instruction data set, make it good, let people check it, and release it with proof.

    The way: generate → validate → filter → dedupe → review → release. Each command reads a step directory and writes
    another; nothing is changed in place, nothing is lost. Tune a model on the release with dolly-train.
    """,
)
