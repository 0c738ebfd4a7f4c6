"""The plainest response that an agent can give, read at one go: `h11` takes thirty times as long for it.

Theory of operation
-------------------
A worker with a seventh of a CPU asks up to ten agents at once, and nearly every agent answers in one segment with a
status, a few headers and a Content-Length. That form alone is read here. Every other one is h11's: a part of a
response, chunks, no length or two, an interim response, an odd character. So HTTP has one judge, and whatever is read
here h11 reads alike (`tests/unit/core/adapters/test_whole_response.py`).
"""

from __future__ import annotations

import re
from typing import Final

_FIELDS: Final = rb"(?:\r\n(?!(?i:content-length|transfer-encoding):)[A-Za-z0-9-]+: [!-~]+(?: [!-~]+)*)*"
_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9]{2}) [ -~]*%b\r\n(?i:content-length): ([0-9]{1,5})%b\r\n\r\n" % (_FIELDS, _FIELDS)
)
_OK: Final = 200


def whole_response(received: bytes) -> tuple[int, bytes] | None:
    """Status and body if these are the bytes of one plain, complete response, else None.

    Of another status than 200 the body may be a part: the status decides alone.
    """
    head = _HEAD.match(received)
    if head is None:
        return None
    status, body, length = int(head[1]), received[head.end() :], int(head[2])
    return (status, body[:length]) if status != _OK or len(body) == length else None
