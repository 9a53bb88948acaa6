"""A hub on loopback: as much of the Hub's HTTP interface as its own client asks for to upload, list and tag a data set.

Large files go through git-LFS's batch interface and are known by their sha256, small ones by git's own hash, as there.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlparse

LARGE = (".parquet",)
TOKEN = "hf_" + "a" * 34
"""No secret: what the tests sign in with."""


@dataclass
class Hub:
    """What the hub holds."""

    url: str = ""
    private: dict[str, bool] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """Path → content, on main."""
    large: dict[str, bytes] = field(default_factory=dict)
    """sha256 → content."""
    tags: dict[str, str] = field(default_factory=dict)
    commits: list[str] = field(default_factory=lambda: ["0" * 40])
    spoil: str = ""
    """A path whose content arrives damaged."""
    asked: list[str] = field(default_factory=list)

    def commit(self, lines: list[dict[str, Any]]) -> str:
        """Apply the lines of a commit; return its id."""
        for line in lines:
            value, path = line["value"], line["value"].get("path", "")
            if line["key"] == "file":
                self.files[path] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.files[path] = self.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del self.files[path]
            if path == self.spoil and path in self.files:
                self.files[path] = self.files[path][:-1] + bytes([self.files[path][-1] ^ 1])
        self.commits.append(hashlib.sha1(f"{len(self.commits)}".encode()).hexdigest())
        return self.commits[-1]

    def tree(self) -> list[dict[str, Any]]:
        """Return the files and folders as the Hub lists them."""
        folders = {path.rsplit("/", 1)[0] for path in self.files if "/" in path}
        found: list[dict[str, Any]] = [{"type": "directory", "path": one, "oid": "0" * 40} for one in sorted(folders)]
        for path, content in sorted(self.files.items()):
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            row = {"type": "file", "path": path, "size": len(content), "oid": git}
            if path.endswith(LARGE):
                row["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
            found.append(row)
        return found


class Handler(BaseHTTPRequestHandler):
    """Answers the client."""

    protocol_version = "HTTP/1.1"
    hub: ClassVar[Hub]

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer what is there."""
        self._answer(
            {r"/refs$": self._refs, r"/tree/": self._tree, r"/revision/|/api/datasets/[^/]+/[^/]+$": self._info}
        )

    def do_HEAD(self) -> None:
        """Answer that nothing is there: the client asks for a .gitignore."""
        self._send({}, 404)

    def do_POST(self) -> None:
        """Take something in."""
        self._answer(
            {
                r"/api/repos/create$": self._create,
                r"/api/validate-yaml$": self._yaml,
                r"/preupload/": self._preupload,
                r"/objects/batch$": self._batch,
                r"/commit/": self._commit,
                r"/tag/": self._tag,
            }
        )

    def do_PUT(self) -> None:
        """Take in a large file."""
        content = self._body()
        self.hub.large[self.path.rsplit("/", 1)[1]] = content
        self._send({})

    def _answer(self, routes: dict[str, Callable[[], None]]) -> None:
        path = urlparse(self.path).path
        self.hub.asked.append(f"{self.command} {path}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send({"error": "Invalid credentials"}, 401)
            return
        route = next((route for pattern, route in routes.items() if re.search(pattern, path)), None)
        if route is None:
            self._send({"error": f"no such route: {path}"}, 404)
        else:
            route()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _json(self) -> Any:
        return json.loads(self._body())

    def _create(self) -> None:
        asked = self._json()
        name = f"{asked['organization']}/{asked['name']}"
        if name in self.hub.private:
            self._send(
                {"error": "You already created this dataset repo", "url": f"{self.hub.url}/datasets/{name}"}, 409
            )
            return
        self.hub.private[name] = asked.get("visibility") == "private"
        self._send({"url": f"{self.hub.url}/datasets/{name}", "name": name, "id": name})

    def _yaml(self) -> None:
        self._json()
        self._send({"errors": [], "warnings": []})

    def _refs(self) -> None:
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": one} for name, one in self.hub.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": self.hub.commits[-1]}
        self._send({"branches": [main], "tags": tags, "converts": []})

    def _info(self) -> None:
        self._send({"id": "org/colours", "sha": self.hub.commits[-1], "siblings": [], "tags": [], "private": True})

    def _tree(self) -> None:
        self._send(self.hub.tree())

    def _preupload(self) -> None:
        paths = [one["path"] for one in self._json()["files"]]
        modes = [
            {
                "path": path,
                "uploadMode": "lfs" if path.endswith(LARGE) else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for path in paths
        ]
        self._send({"files": modes})

    def _batch(self) -> None:
        objects = [
            {
                "oid": one["oid"],
                "size": one["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/large/{one['oid']}", "header": {}}},
            }
            for one in self._json()["objects"]
        ]
        self._send({"transfer": "basic", "objects": objects})

    def _commit(self) -> None:
        oid = self.hub.commit([json.loads(line) for line in self._body().splitlines()])
        url = f"{self.hub.url}/datasets/org/colours/commit/{oid}"
        self._send({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def _tag(self) -> None:
        revision = urlparse(self.path).path.rsplit("/", 1)[1]
        self.hub.tags[self._json()["tag"]] = revision
        self._send({})

    def _send(self, value: Any, code: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a hub on a free port of loopback."""
    hub = Hub()
    handler = type("OneHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
