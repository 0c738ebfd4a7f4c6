"""Messages in and out, without a connection."""

from __future__ import annotations

import contextlib
import json
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.agent import protocol
from local.agent.child import Backlog
from local.agent.protocol import Stream


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (
            {"type": "exec", "id": "a", "cmd": ["ls", ""], "env": ["A=1", "B==", "A=2"], "workdir": "/", "tty": True},
            protocol.Exec("a", ("ls", ""), (("A", "1"), ("B", "="), ("A", "2")), "/", tty=True),
        ),
        (
            {"type": "exec", "id": "a", "cmd": ["ls"], "env": None, "workdir": ""},
            protocol.Exec("a", ("ls",), (), None, tty=False),
        ),
        ({"type": "attach", "id": "a"}, protocol.Attach("a")),
        ({"type": "stdin", "id": "a", "data": "AP8="}, protocol.Stdin("a", b"\x00\xff")),
        ({"type": "close_stdin", "id": "a"}, protocol.CloseStdin("a")),
        ({"type": "signal", "id": "a", "signal": "term"}, protocol.Signal("a", signal.SIGTERM)),
        ({"type": "resize", "id": "a", "width": 80, "height": 24}, protocol.Resize("a", 80, 24)),
    ],
)
def test_requests(message: dict[str, object], request_: protocol.Request) -> None:
    """Every type of request is decoded, with and without its optional members."""
    assert protocol.decode(json.dumps(message)) == request_


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "exec", "id": "a"}, "cmd must be a list that begins with a program"),
        ({"type": "exec", "id": "a", "cmd": [""]}, "cmd must be a list that begins with a program"),
        ({"type": "exec", "id": "a", "cmd": "ls"}, "cmd must be a list of strings"),
        ({"type": "exec", "id": "a", "cmd": ["ls"], "env": ["A"]}, "env must be a list of K=V"),
        ({"type": "exec", "id": "a", "cmd": ["ls"], "env": ["=1"]}, "env must be a list of K=V"),
        ({"type": "exec", "id": "a", "cmd": ["ls"], "tty": 1}, "tty must be true or false"),
        ({"type": "stdin", "id": "a", "data": "?"}, "data must be base64"),
        ({"type": "stdin", "id": "a", "data": 7}, "data must be a string"),
        ({"type": "resize", "id": "a", "width": 0, "height": 1}, "width must be a number from 1 to 65535"),
        ({"type": "resize", "id": "a", "width": 1, "height": 65536}, "height must be a number from 1 to 65535"),
    ],
)
def test_members_that_are_not_what_they_must_be(message: dict[str, object], reason: str) -> None:
    """The refusal names the member and keeps the id, so that the client knows which request it was."""
    with pytest.raises(protocol.Rejected) as caught:
        protocol.decode(json.dumps(message))

    assert (caught.value.session_id, caught.value.message) == ("a", f"invalid message: {reason}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
messages = st.dictionaries(
    st.sampled_from(["type", "id", "cmd", "env", "workdir", "tty", "data", "signal", "width", "height"]),
    json_values | st.sampled_from(["exec", "stdin", "signal", "resize", "AAAA"]),
).map(json.dumps)


@given(messages | json_values.map(json.dumps) | st.text() | st.binary())
def test_any_text_is_a_request_or_refused(text: str | bytes) -> None:
    """No message can fail in another way, whatever it holds."""
    with contextlib.suppress(protocol.Rejected):
        assert protocol.decode(text).id == (json.loads(text).get("id") or "")


def test_messages_to_the_client() -> None:
    """Messages to the client have the protocol's types and members."""
    assert [
        json.loads(text)
        for text in (
            protocol.output("a", Stream.STDERR, b"\x00\xff"),
            protocol.exited("a", 137),
            protocol.error("a", "no such session"),
        )
    ] == [
        {"type": "stderr", "id": "a", "data": "AP8="},
        {"type": "exit", "id": "a", "code": 137},
        {"type": "error", "id": "a", "message": "no such session"},
    ]


@given(st.lists(st.tuples(st.sampled_from(Stream), st.binary(min_size=1, max_size=9))), st.integers(1, 20))
def test_the_backlog_is_the_end_of_the_output(written: list[tuple[Stream, bytes]], size: int) -> None:
    """It holds exactly the last `size` bytes, in order and each under its stream."""
    backlog = Backlog(size)
    for stream, data in written:
        backlog.append(stream, data)

    def by_byte(chunks: list[tuple[Stream, bytes]]) -> list[tuple[Stream, int]]:
        return [(stream, byte) for stream, data in chunks for byte in data]

    assert by_byte(list(backlog.chunks())) == by_byte(written)[-size:]
