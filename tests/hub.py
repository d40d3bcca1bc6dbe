"""A model hub in miniature: the cache's exact layout on disk, and a server that speaks as the hub does."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cache(home: Path, repo: str, files: Path, *, commit: str = COMMIT, ref: str = "main") -> Path:
    """Lay `files` into HF_HOME's cache as the hub's client does; return the snapshot: links to blobs, and a ref."""
    base = home / "hub" / f"models--{repo.replace('/', '--')}"
    snapshot = base / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (base / "blobs").mkdir()
    for file in files.iterdir():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        (base / "blobs" / digest).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(Path("../../blobs") / digest)
    (base / "refs").mkdir()
    (base / "refs" / ref).write_text(commit)
    return snapshot


class _Hub(ThreadingHTTPServer):
    """repos: owner/name -> folder; asked: every path that was asked for, in order."""

    repos: dict[str, Path]
    asked: list[str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Hub

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        parts = path.strip("/").split("/")
        about = parts[:2] == ["api", "models"]
        owner, name, *rest = parts[2:] if about else parts
        folder = self.server.repos.get(f"{owner}/{name}")
        if folder is None:
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, body)
        elif len(rest) > 1 and rest[1] not in ("main", COMMIT):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        elif about:
            self._send(200, json.dumps(self._about(f"{owner}/{name}", folder, rest)).encode(), {}, body)
        else:
            self._file(folder / rest[-1], body)

    def _about(self, repo: str, folder: Path, rest: list[str]) -> object:
        if rest and rest[0] == "tree":
            sizes = ((file.name, file.stat().st_size) for file in sorted(folder.iterdir()))
            return [{"type": "file", "path": name, "size": size, "oid": "0" * 40} for name, size in sizes]
        siblings = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
        return {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}

    def _file(self, file: Path, body: bool) -> None:
        if not file.is_file():
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, body)
            return
        data = file.read_bytes()
        self._send(200, data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT}, body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


@contextmanager
def serving(repos: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve folders as models on loopback; yields the address for HF_ENDPOINT and the list of what is asked for."""
    server = _Hub(("127.0.0.1", 0), _Handler)
    server.repos, server.asked = repos, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
