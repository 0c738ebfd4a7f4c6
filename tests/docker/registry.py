"""A registry of one image, on loopback: as much of the distribution API as an engine needs to pull (OCI 1.1).

With a login it is a private one: it answers nothing without HTTP's basic authentication.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import platform
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

REPOSITORY: Final = "team/tool"
TAG: Final = "1.0"
FILE: Final = "tool"
"""In the image's root, and not executable."""

_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@contextmanager
def registry(login: tuple[str, str] | None = None) -> Iterator[str]:
    """Its name (`127.0.0.1:port`) while it serves. Engines speak plain HTTP to loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"login": login})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(FILE)
        entry.mode = 0o644
        tar.addfile(entry, io.BytesIO(b""))
    return archive.getvalue()


def _blobs() -> tuple[bytes, dict[str, bytes]]:
    """The manifest, and everything by digest."""
    plain = _layer()
    layer = gzip.compress(plain, mtime=0)
    config = json.dumps(
        {
            "architecture": _ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Cmd": [f"/{FILE}"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described("application/vnd.docker.container.image.v1+json", config),
            "layers": [_described("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
        }
    ).encode()
    return manifest, {_digest(content): content for content in (manifest, config, layer)}


def _described(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    login: tuple[str, str] | None = None

    def do_GET(self) -> None:
        if self.login and self.headers.get("Authorization") != _basic(*self.login):
            refused = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
            self._answer(401, json.dumps(refused).encode(), "application/json")
            return
        manifest, blobs = _blobs()
        reference = self.path.rpartition("/")[2]
        if self.path == "/v2/":
            self._answer(200, b"{}", "application/json")
        elif self.path == f"/v2/{REPOSITORY}/manifests/{TAG}":
            self._answer(200, manifest, _MANIFEST)
        elif self.path.startswith(f"/v2/{REPOSITORY}/") and reference in blobs:
            content = blobs[reference]
            self._answer(200, content, _MANIFEST if content == manifest else "application/octet-stream")
        else:
            unknown = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            self._answer(404, json.dumps(unknown).encode(), "application/json")

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Prints nothing: the engine says what went wrong."""
