"""A page to write, at a path or at an address."""

from pathlib import Path
from typing import Any

import click


class NewFile(click.Path):
    """A page to write: its path, or its address, where it and the .json beside it are put when all has ended well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file, on this machine; of an earlier one nothing is left there."""
        from schemas.address import is_address

        if not str(value).endswith((".html", ".htm")):  # what stands beside it has its name with another ending
            self.fail(f"expected a page whose name ends in .html, found {str(value)!r}", param, ctx)
        if not ctx or not is_address(value):
            return super().convert(value, param, ctx)
        from schemas.mirror import mirror_of

        file = mirror_of(str(value))
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in _both(file):
            old.unlink(missing_ok=True)
        ctx.call_on_close(lambda: _put(file, str(value).rpartition("/")[0]))
        return file


def _both(file: Path) -> tuple[Path, Path]:
    return file, file.with_suffix(".json")


def _put(file: Path, folder: str) -> None:
    from schemas.address import store_at, writing
    from schemas.mirror import put_file

    with writing(f"{folder}/{file.name}", file):
        store, root = store_at(folder)
        for one in filter(Path.is_file, _both(file)):
            put_file(store, one, f"{root}/{one.name}")
            click.echo(f"put at {folder}/{one.name}", err=True)


NEW_FILE = NewFile(path_type=Path, dir_okay=False)
