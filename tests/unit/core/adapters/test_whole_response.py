"""The plainest responses are read as h11 reads them, and every other one is left to it."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.whole_response import whole_response

AGENT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 26\r\nConnection: close\r\n\r\nnot a websocket handshake\n"
STATUS_LINES = (b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 503 Not yet", b"HTTP/1.1 204 None")
OTHER_LINES = (
    b"HTTP/1.0 200 OK",
    b"http/1.1 200 OK",
    b"HTTP/1.1 100 Go on",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 200\tOK",
    b"",
)
LENGTHS = (b"Content-Length: 2", b"content-length: 2", b"Content-Length: 3", b"Content-Length: 0")
OTHER_FIELDS = (
    b"Date: Sun, 29 Nov 2026 18:00:00 GMT",
    b"X-Pad: \x80\xff",
    b"X-Empty:",
    b"X-Tail: a ",
    b" folded: a",
    b"Bad Name: a",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Content-Length: 2, 2",
    b"Content-Length:2",
    b"Content-Length: -2",
    b"Content-Length : 2",
    b"Content-Length: 00002",
    b"Connection: close",
    b"Upgrade: websocket",
)


def by_h11(received: bytes) -> tuple[int, bytes] | None:
    """Status and the body so far; None for no response, and for a 200 that is not complete."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "agent")]))
    http.send(h11.EndOfMessage())
    http.receive_data(received)
    status, body = 0, b""
    while True:
        try:
            event = http.next_event()
        except h11.RemoteProtocolError:
            return None
        match event:
            case h11.Response():
                status = event.status_code
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                return status, body
            case h11.NEED_DATA:
                return None if status in {0, 200} else (status, body)


@pytest.mark.parametrize("answer", [AGENT, REFUSAL])
def test_an_agent_s_answer_is_read_at_one_go(answer: bytes) -> None:
    """Go's and Python's agents answer so."""
    assert whole_response(answer) == by_h11(answer)
    assert whole_response(answer) is not None


@given(
    st.sampled_from((*STATUS_LINES, *OTHER_LINES)),
    st.lists(st.sampled_from((*LENGTHS, *OTHER_FIELDS)), max_size=4),
    st.sampled_from((b"ok", b"", b"ok!", b"2\r\nok\r\n0\r\n\r\n", b"HTTPS")),
    st.sampled_from((b"\r\n", b"\n")),
)
def test_what_is_read_at_one_go_h11_reads_alike(line: bytes, fields: list[bytes], body: bytes, end: bytes) -> None:
    """Whatever the status, the headers, their order and the body: the same status and body, or it is h11's."""
    received = end.join((line, *fields, b"", body))
    read = whole_response(received)
    assert read is None or read == by_h11(received)


@given(st.sampled_from((AGENT, REFUSAL)), st.data())
def test_no_odd_byte_is_passed_over(answer: bytes, data: st.DataObject) -> None:
    """One byte replaced, or the end cut off: again what h11 makes of it, or nothing."""
    place = data.draw(st.integers(0, len(answer) - 1))
    odd = data.draw(st.one_of(st.just(b""), st.binary(min_size=1, max_size=1)))
    received = answer[:place] + odd + (answer[place + 1 :] if odd else b"")
    read = whole_response(received)
    assert read is None or read == by_h11(received)
