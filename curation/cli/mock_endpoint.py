"""`dolly-data mock-endpoint`: a free rehearsal."""

import click

from curation.cli.base import echo_event


@click.command("mock-endpoint")
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0: one that is free.")
@click.option("--seed", default=1, show_default=True, help="Decides what is said, and whom the faults hit.")
@click.option("--model", default="mock", show_default=True, help="The model that /models lists; any is answered.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME=RATE", help="A fault and its rate; --faults lists them."
)
@click.option("--faults", "list_faults", is_flag=True, help="List the faults, and end.")
@click.option("--retry-after-s", default=1.0, show_default=True, help="Seconds that 429 faults say to wait.")
@click.option("--latency-s", default=0.0, show_default=True, help="Seconds until the first token.")
@click.option("--tokens-per-s", default=0.0, show_default=True, help="Speed of one answer; 0: at once.")
@click.option("--slots", default=0, show_default=True, help="Requests worked on at a time; 0: any number.")
@click.option("--requests-per-s", default=0.0, show_default=True, help="More get a 429; 0: no limit.")
@click.option("--tokens-per-minute", default=0.0, show_default=True, help="More get a 429; 0: no limit.")
@click.option("--quota-tokens", default=0, show_default=True, help="Tokens after which the quota is used up; 0: never.")
@click.option("--refuse", default="", help="Refuse everything: unauthorized, forbidden, not_found or quota.")
@click.option("--api-key", default="", help="The key that is wanted; default: any or none.")
@click.option("--batch-s", default=0.0, show_default=True, help="Seconds until a batch is done.")
@click.option(
    "--batch-done", default=1.0, show_default=True, help="Share of a batch that is answered before it expires."
)
@click.option("--ledger", default="", help="A JSONL file of what was billed, one line a request.")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines.")
def mock_endpoint(port: int, faults: tuple[str, ...], list_faults: bool, as_json: bool, **settings: object) -> None:
    """Serve a mock of an OpenAI-compatible endpoint on this machine, which costs nothing.

    It answers in the form that is asked for, the same request always with the same text, and fails as often as it is
    told to: `--fault server_error=0.05 --fault hang=0.01`, or `--fault all=0.02`. Point --base-url at the address it
    prints. It ends at Ctrl-C.
    """
    from curation.mock.faults import FAULTS, read_rates
    from curation.mock.serve import serve
    from curation.mock.service import MockEndpoint
    from schemas.codec import read_config

    if list_faults:
        width = max(map(len, FAULTS))
        echo_event(FAULTS, "\n".join(f"{name:{width}}  {what}" for name, what in FAULTS.items()), as_json=as_json)
        return
    made = read_config(MockEndpoint, {**settings, "faults": read_rates(faults)}, "mock-endpoint")
    ended = serve(
        made,
        port=port,
        announce=lambda address: echo_event({"event": "serving", "base_url": address}, address, as_json=as_json),
    ).ledger
    event = {"event": "ended", "requests": ended.requests, "tokens": ended.tokens}
    echo_event(event, f"{ended.requests:,} requests, {ended.tokens:,} tokens billed", as_json=as_json)
