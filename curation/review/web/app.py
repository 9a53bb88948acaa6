"""The screens: what address shows what, and what a form does. Everything is rendered here; scripts only press keys."""

from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from curation.review.conflicts import conflict_of, keep_answer
from curation.review.desk import Desk
from curation.review.events import Queue
from curation.review.mapping import map_points
from curation.review.queues import QUEUES
from curation.review.rows import Item
from curation.review.search import kept_places
from curation.review.web.forms import Form, act_of, ms_of, one, read_form, wanted_of
from curation.review.web.guard import Guard, Keys
from curation.review.web.pages import Pages
from schemas.errors import InputError

STATIC = Path(__file__).parent / "static"


def make_app(desk: Desk, keys: Keys, guidelines: str = "") -> Starlette:
    """Return the application for one reviewer."""
    screens = Screens(desk, Pages(desk, guidelines))
    return Starlette(
        routes=[*screens.routes(), Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, keys=keys)],
        exception_handlers={InputError: screens.refused, HTTPException: screens.wrong},
    )


class Screens:
    """What answers each address."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk, self._pages = desk, pages

    def routes(self) -> list[Route]:
        """Return every address."""
        return [
            Route("/", self.home),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/guidelines", self.guidelines),
            Route("/keys", self.keys),
            Route("/agreement", self.agreement),
            Route("/map", self.map),
            Route("/map.json", self.map_points),
            Route("/map/{pos:int}", self.map_row),
            Route("/explore", self.explore),
            Route("/explore", self.decide_all, methods=["POST"]),
            Route("/{queue}", self.start),
            Route("/{queue}/{number:int}", self.row),
            Route("/{queue}/{number:int}", self.decide, methods=["POST"]),
        ]

    async def home(self, _: Request) -> Response:
        """Show where the review stands."""
        self._desk.refresh()
        return HTMLResponse(self._pages.home())

    async def guidelines(self, _: Request) -> Response:
        """Show what a reviewer is to ask."""
        return HTMLResponse(self._pages.guidelines())

    async def keys(self, _: Request) -> Response:
        """Show the keys, and let them be changed."""
        return HTMLResponse(self._pages.keys())

    async def start(self, request: Request) -> Response:
        """Go to the first open row of a queue."""
        self._desk.refresh()
        queue = _queue(request)
        number = self._desk.next_open(queue)
        return HTMLResponse(self._pages.finished(queue)) if number is None else _to(f"/{queue}/{number}")

    async def row(self, request: Request) -> Response:
        """Show one row, and make the next one ready while it is read."""
        self._desk.refresh()
        queue, number = self._place(request)
        page = self._pages.row(queue, number)
        return HTMLResponse(page, background=BackgroundTask(self._pages.prepare, queue, number + 1))

    async def decide(self, request: Request) -> Response:
        """Write a decision down, then go to the next open row."""
        self._desk.refresh()
        queue, number = self._place(request)
        form = await read_form(request)
        item = self._desk.item(self._desk.queue(queue)[number - 1])
        if one(form, "sha256") != item.sha256:
            raise HTTPException(409, "This is not the row that was on the screen; load the page again.")
        if "keep" in form:
            self._keep(queue, item, form)
        else:
            self._desk.decide(queue, item, act_of(form), shown_sha256=self._pages.shown_sha256(queue, number))
        after = self._desk.next_open(queue, after=number)
        return _to(f"/{queue}" if after is None else f"/{queue}/{after}")

    async def undo(self, _: Request) -> Response:
        """Take the last act back, and show its row again."""
        undone = self._desk.undo()
        if undone is None:
            return _to("/")
        number = self._desk.number_of(undone.queue, undone.row_sha256)
        if number is None:
            return _to("/")
        many = undone.batch and not self._desk.item(self._desk.queue(undone.queue)[number - 1]).conflict
        return _to("/" if many else f"/{undone.queue}/{number}")

    async def agreement(self, _: Request) -> Response:
        """Show how far reviewers agree, to whoever is not to be kept from it."""
        self._desk.refresh()
        if self._desk.blind:
            raise HTTPException(409, "You are still deciding blind; finish first what others decided about.")
        return HTMLResponse(self._pages.agreement())

    async def map(self, _: Request) -> Response:
        """Show the topics."""
        return HTMLResponse(self._pages.map())

    async def map_points(self, _: Request) -> Response:
        """Return every row's place on the map."""
        return JSONResponse(map_points(self._desk.rows))

    async def map_row(self, request: Request) -> Response:
        """Return what a point on the map stands for."""
        pos = request.path_params["pos"]
        if pos >= len(self._desk.rows.hashes):
            raise HTTPException(404, "There is no such row.")
        return JSONResponse(self._pages.point(pos))

    async def explore(self, request: Request) -> Response:
        """Show the rows that are looked for."""
        self._desk.refresh()
        page = request.query_params.get("page", "1")
        return HTMLResponse(self._pages.explore(wanted_of(request.query_params), int(page) if page.isdigit() else 1))

    async def decide_all(self, request: Request) -> Response:
        """Do the same about all kept records that were found, if they are as many as the screen said."""
        form = await read_form(request)
        wanted = wanted_of({name: values[-1] for name, values in form.items()})
        places = kept_places(self._desk.rows, wanted)
        if one(form, "count") != str(len(places)):
            raise HTTPException(409, f"{len(places):,} kept records are found now; look again before you decide.")
        self._desk.decide_all([self._desk.rows.at(pos) for pos in places], act_of(form))
        return _to("/explore", **wanted.filled())

    async def refused(self, _: Request, error: Exception) -> Response:
        """Say what was wrong with a request."""
        return HTMLResponse(self._pages.refused(str(error)), 400)

    async def wrong(self, request: Request, error: Exception) -> Response:
        """Say that a page is not there, or why it is not shown; of a file, which nobody needs a cookie for, no more."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        words = str(error.detail) if isinstance(error, HTTPException) else "Something went wrong."
        if request.url.path.startswith("/static/"):
            return PlainTextResponse(words, status)
        return HTMLResponse(self._pages.refused(words), status)

    def _keep(self, queue: Queue, item: Item, form: Form) -> None:
        """Keep one of the answers that stand side by side, and reject the others."""
        found = conflict_of(item, self._desk.rows)
        names = {str(answer.number): answer.ids[0] for answer in found.answers} if found else {}
        kept = names.get(one(form, "keep"))
        if queue != "hunt" or kept is None:
            raise HTTPException(409, "This is not one of the answers that were on the screen; load the page again.")
        keep_answer(self._desk, self._desk.rows.called(kept)[0], ms_of(form))

    def _place(self, request: Request) -> tuple[Queue, int]:
        queue, number = _queue(request), int(request.path_params["number"])
        if not 1 <= number <= len(self._desk.queue(queue)):
            raise HTTPException(404, "There is no such row in this queue.")
        return queue, number


def _queue(request: Request) -> Queue:
    name = request.path_params["queue"]
    if name not in QUEUES:
        raise HTTPException(404, "There is no such page.")
    return cast("Queue", name)


def _to(path: str, **query: Any) -> Response:
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)
