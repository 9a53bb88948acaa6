"""`dolly-data calibrate review`: two records side by side in a browser, one key each."""

from pathlib import Path

import click

from curation.cli.base import echo_event


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--second", is_flag=True, help="Label the same pairs again, without seeing the labels in FILE.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another one is reached by others: needs --token.")
@click.option("--port", default=0, show_default=True, help="0: one that is free.")
@click.option("--token", default="", help="What opens the screens; by default one is made that works once.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a JSON line.")
def review(file: Path, second: bool, host: str, port: int, token: str, browser: bool, as_json: bool) -> None:
    """Label the pairs in FILE in a browser by keys: s for the same, d for distinct.

    Two records are the same where a training set needs only one of them. They stand side by side, differences marked.
    Every label is on disk before the next pair shows; how alike a pair is shows once it has a label. Stop whenever you
    like. A second labelling stands beside FILE, as in pairs.second.jsonl, and its last screen says how far both agree.
    """
    from curation.calibrate.second import open_second
    from curation.calibrate.web.app import make_app, task_of
    from curation.review.web.serve import Address, serve_app

    address = Address(host=host, port=port, token=token)
    task = task_of(open_second(file), file) if second else task_of(file)

    def told(url: str) -> None:
        said = f"label {task.sheet.path} at {url}\nCtrl-C stops it."
        echo_event({"event": "serving", "path": str(task.sheet.path), "url": url}, said, as_json=as_json)

    serve_app(lambda keys: make_app(task, keys), address, told, browser=browser)
