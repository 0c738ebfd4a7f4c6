"""Changes a JSON document at random places, or its text, as a sender, a proxy or another version might."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

Place = tuple[str | int, ...]

ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 0.5, 1e300, -1e300, float("nan"), float("inf")),
    *(2**31, 2**63, 10**30, int("123456789" * 6)),
    *("", " ", "0", "-1", "1e400", "true", "null", "NaN", "Infinity", "\x00", "\ud800", "\u202e", "\u017f", "\u0130"),
    *("9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "2026-11-23T10:00:00"),
    *("10.0.1.47", "169.254.169.254", "127.0.0.1", "::1", "fd00::1%eth0", "10.0.1.47:9111", "[fd00::1]:9111", "0x7f.1"),
    *("../../etc/passwd", "a/b/c", "%s%n{}", "{0.__class__}", "$(id)", "<script>", "'; --", "A" * 5000, "\u00e9" * 300),
    *([], {}, [None], [[]], {"": ""}, {"a": {"b": {}}}, [0] * 200),
)
"""Values of every kind and size, and texts that some reader takes for more than a text."""
DEEP: Final = 3000
"""Levels of nesting: more than Python's own stack."""
_TEXTS: Final = st.text(max_size=30)


@st.composite
def documents(draw: st.DrawFn, seeds: Sequence[Any]) -> Any:
    """A seed with a few changes."""
    document = deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        document = _changed(draw, document, seeds)
    return document


@st.composite
def texts(draw: st.DrawFn, seeds: Sequence[Any]) -> bytes:
    """The bytes of such a document, at times no JSON any more."""
    text = json.dumps(draw(documents(seeds)))
    match draw(st.sampled_from(("whole", "whole", "cut", "doubled", "spliced", "deep", "replaced", "noise"))):
        case "cut":
            text = text[: draw(st.integers(0, len(text)))]
        case "doubled":
            # A name twice in one object: parsers differ in which value counts.
            text = text.replace("{", '{"a": 1, "a": {"a": [], "a": null}, ', draw(st.integers(1, 3)))
        case "spliced":
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(_TEXTS) + text[at:]
        case "deep":
            text = "[" * DEEP + text + "]" * DEEP
        case "replaced":
            old = draw(st.sampled_from(('"', ",", ":", "}", "1", "e", "null")))
            text = text.replace(old, draw(_TEXTS), 1)
        case "noise":
            return draw(st.binary(max_size=200))
    raw = text.encode("utf-8", "surrogatepass")
    return draw(
        st.sampled_from((raw, b"\xef\xbb\xbf" + raw, raw + b"\xff\xfe", text.encode("utf-16", "surrogatepass")))
    )


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """What may come back from a port: an HTTP response, nearly one, or something else."""
    status = draw(
        st.sampled_from((b"200 OK", b"200", b"400 HTTPS", b"401", b"426 Upgrade", b"999", b"", b"0x1", b"-1"))
    )
    version = draw(
        st.sampled_from((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"HTTP/9.9", b"http/1.1", b"ICY", b"\x16\x03\x01"))
    )
    body = draw(texts([{"status": "ok", "pid": 7}, {"pid": 7, "exited": True, "exitCode": 3}]))
    length = str(draw(st.sampled_from((len(body), 0, -1, 10**20)))).encode()
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    headers, content = draw(
        st.sampled_from(
            (
                (b"Content-Length: " + length, body),
                (b"Content-Length: 5\r\nContent-Length: 6", body),
                (b"Transfer-Encoding: chunked", chunk),
                (b"Transfer-Encoding: chunked", b"ffffffffff\r\n" + body),
                (b"Content-Encoding: gzip", body),
                (b"X-Long: " + b"a" * 9000, body),
                (b"Folded: a\r\n b", body),
                (b"Bare: \x00\xff", body),
                (b"", body),
            )
        )
    )
    raw = version + b" " + status + draw(st.sampled_from((b"\r\n", b"\n"))) + headers + b"\r\n\r\n" + content
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw


def _changed(draw: st.DrawFn, document: Any, seeds: Sequence[Any]) -> Any:  # noqa: PLR0911 - one case a change
    places = list(_places(document))
    place = draw(st.sampled_from(places))
    match draw(st.sampled_from(("odd", "odd", "dropped", "wrapped", "doubled", "renamed", "other", "moved", "text"))):
        case "odd":
            return _put(document, place, deepcopy(draw(st.sampled_from(ODD))))
        case "dropped":
            return _drop(document, place)
        case "wrapped":
            value = _at(document, place)
            return _put(document, place, draw(st.sampled_from(([value], {"value": value}, [value, value], [[value]]))))
        case "doubled":
            value = _at(document, place)
            return _put(document, place, value * 2 if isinstance(value, str | list) else [value, deepcopy(value)])
        case "renamed":
            return _renamed(document, place, draw(_TEXTS))
        case "other":
            seed = draw(st.sampled_from(seeds))
            return _put(document, place, deepcopy(_at(seed, draw(st.sampled_from(list(_places(seed)))))))
        case "moved":
            return _put(document, place, deepcopy(_at(document, draw(st.sampled_from(places)))))
        case _:
            return _put(document, place, draw(_TEXTS | st.integers() | st.floats()))


def _places(document: Any, place: Place = ()) -> list[Place]:
    """Every value in it, itself first."""
    found = [place]
    members: Any = ()
    if isinstance(document, dict):
        members = document.items()
    elif isinstance(document, list):
        members = enumerate(document)
    for name, value in members:
        found += _places(value, (*place, name))
    return found


def _at(document: Any, place: Place) -> Any:
    for name in place:
        document = document[name]
    return document


def _put(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    _at(document, place[:-1])[place[-1]] = value
    return document


def _drop(document: Any, place: Place) -> Any:
    if place:
        del _at(document, place[:-1])[place[-1]]
    return document


def _renamed(document: Any, place: Place, name: str) -> Any:
    if place and isinstance(place[-1], str):
        holder = _at(document, place[:-1])
        holder[name] = holder.pop(place[-1])
    return document
