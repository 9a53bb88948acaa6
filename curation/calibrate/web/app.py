"""The screens: what address shows what, and what a key does. The label is on disk before the next pair is sent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from curation.calibrate.labels import LABELS
from curation.calibrate.second import compare
from curation.calibrate.sheet import Sheet
from curation.calibrate.web.pages import Pages
from curation.calibrate.web.sides import name_of
from curation.review.web.app import STATIC
from curation.review.web.forms import one, read_form
from curation.review.web.guard import Guard, Keys
from schemas.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is labelled, and what it is compared with once it is done."""

    sheet: Sheet
    first: Sheet | None = None
    """The first labelling, where this one is the second; kept from the screen until nothing is left."""


def make_app(task: Task, keys: Keys) -> Starlette:
    """Return the application for one person."""
    screens = Screens(task)
    return Starlette(
        routes=[*screens.routes(), Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, keys=keys)],
        exception_handlers={HTTPException: screens.wrong, InputError: screens.refused},
    )


class Screens:
    """What answers each address."""

    def __init__(self, task: Task) -> None:
        self._sheet, self._first = task.sheet, task.first
        self._numbers = {at: number for number, at in enumerate(task.sheet.order, 1)}
        self._pages = Pages(task.sheet.path)

    def routes(self) -> list[Route]:
        """Return every address."""
        return [
            Route("/", self.next),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/skipped", self.skipped, methods=["POST"]),
            Route("/pairs/{number:int}", self.pair),
            Route("/pairs/{number:int}", self.label, methods=["POST"]),
        ]

    async def next(self, _: Request) -> Response:
        """Go to the next open pair, or say what came of it."""
        self._sheet.refresh()
        if self._sheet.at is None:
            return HTMLResponse(self._finished())
        return _to(f"/pairs/{self._numbers[self._sheet.at]}")

    async def pair(self, request: Request) -> Response:
        """Show one pair."""
        at = self._place(request)
        return HTMLResponse(self._pages.pair(self._sheet, at, self._numbers[at]))

    async def label(self, request: Request) -> Response:
        """Write a label down, or leave the pair for later; then go to the next open one."""
        at, form = self._place(request), await read_form(request)
        self._sheet.refresh()
        pair, action = self._sheet.rows[at], one(form, "action")
        if one(form, "sha256") != name_of(pair):
            raise HTTPException(409, "This is not the pair that was on the screen; load the page again.")
        if pair["label"]:
            raise HTTPException(409, "This pair has a label already; take it back first.")
        if action in LABELS:
            self._sheet.label(at, action)
        elif action == "skip":
            self._sheet.skip(at)
        else:
            raise HTTPException(400, "No such action.")
        return _to("/")

    async def undo(self, _: Request) -> Response:
        """Take the last label of this sitting back, and show its pair again."""
        at = self._sheet.last
        self._sheet.undo()
        return _to("/" if at is None else f"/pairs/{self._numbers[at]}")

    async def skipped(self, _: Request) -> Response:
        """Show the pairs again that were left for later."""
        self._sheet.take_up()
        return _to("/")

    async def wrong(self, _: Request, error: Exception) -> Response:
        """Say that a page is not there, or why it is not shown."""
        assert isinstance(error, HTTPException)
        return HTMLResponse(self._pages.refused(str(error.detail)), error.status_code)

    async def refused(self, _: Request, error: Exception) -> Response:
        """Say why a label cannot be written: the file is gone, or another one."""
        return HTMLResponse(self._pages.refused(str(error)), 409)

    def _finished(self) -> str:
        found = None
        if self._first is not None and not self._sheet.skipped:
            found = compare(self._first.rows, self._sheet.rows)
        apart = [(self._numbers[at], self._said(at)) for at in found.apart] if found else []
        return self._pages.finished(self._sheet, found.table if found else None, apart)

    def _said(self, at: int) -> tuple[Any, Any]:
        assert self._first is not None
        return self._first.rows[at]["label"], self._sheet.rows[at]["label"]

    def _place(self, request: Request) -> int:
        number = int(request.path_params["number"])
        if not 1 <= number <= len(self._sheet.order):
            raise HTTPException(404, "There is no such pair.")
        return self._sheet.order[number - 1]


def task_of(path: Path, first: Path | None = None) -> Task:
    """Return the task of labelling a file; `first` is the labelling that it is the second to.

    Raises:
        InputError: a file that is not there, or holds something else than pairs.
    """
    return Task(sheet=Sheet.read(path), first=Sheet.read(first) if first else None)


def _to(path: str) -> Response:
    return RedirectResponse(path, 303)
