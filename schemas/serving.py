"""What both packages have to know of a llama.cpp that serves within this process."""

import json
import urllib.request


def wait_for_tasks(address: str) -> None:
    """Wait until a server takes up tasks: it answers requests sooner, and one that is ended before then never ends.

    The order to stop is lost where its loop has not begun, and its destructor waits for that loop. A token that was
    generated has come out of the loop.
    """
    body = {"prompt": [0], "n_predict": 1, "cache_prompt": False}
    request = urllib.request.Request(  # noqa: S310  # our own server
        f"{address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request):  # noqa: S310  # the same
        pass
