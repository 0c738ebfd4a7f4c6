"""Names that people chose, taken out of a text before its words are matched.

ECS, containerd and the SDKs quote what they were asked for: images, tags, hosts, ARNs, paths, secrets. Such a name may
hold any word that the tables look for (a tag `500`, a repository `not-found`), and the decision to launch again hangs
on those words. So a name is recognised by its shape or by the words before it, whatever it says, and replaced by
`NAME`; hosts of AWS by their service, because often only the host tells what could not be reached.

Sources of the shapes: the ARN format of the AWS General Reference; the grammar of image references in
distribution/reference; the error texts of containerd, runc, Go's `net` and `net/url`, and botocore.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = "<name>"

# Words of theirs that look like names: they have a slash, or stand in quotes.
_WORDS: Final = (
    r"(?<![\w/.@-])(?:i/o|input/output|net/http|\d+/\d+|(?:linux|windows)/\w+(?:/\w+)?|stopped/terminated)(?![\w/@-])"
    r"|'(?:cpu|memory)'"
)
# Within a name; and its last character, which is not the punctuation of the sentence around it.
_PART: Final = r"[^\s\"'`,;(){}\[\]<>]"
_END: Final = r"[^\s\"'`,;(){}\[\]<>:.]"
_BEFORE: Final = (
    r"resolved? ref(?:erence)?|denied for|manifest for|\blookup|fetch secret|unable to find (?:user|group)|\buser:|"
    r"on resource:|\[(?:manifests|blobs)|\(elb|\bvalue:"
)
_SHAPES: Final = re.compile(
    rf"(?P<kept>{_WORDS})"
    # What stands behind these words is a name, of whatever shape; a list of them ends its text.
    rf"|(?P<before>(?:{_BEFORE}) )(?!{_WORDS})(?={_PART}){_PART}*?{_END}?(?=[:.,\]]*(?:[\s,;\])]|$))"
    r"|(?P<listed>invalid ssm parameters: |certificate is (?:not )?valid for ).*"
    rf"|(?P<url>\b\w+://{_PART}*)"
    rf"|\barn:aws{_PART}*{_END}"
    # A quoted word is a name, a quoted sentence is not; a path is, and what was to be executed. ECS cuts within quotes.
    r"|(?<=exec: )\"[^\"]*\""
    r"|(?<=^service )\S+(?=: )"
    r"|(?<!\w)(?P<quote>[\"'`])(?:/[^\"'`]*|[^\s\"'`<]*)(?:(?P=quote)|$)"
    # A path: Fargate 1.4 leaves out the middle of a long text. An image, a media type. A host.
    rf"|(?<![\w.:<])/(?:(?!\.\.\.){_PART})*(?<=[^:.])"
    rf"|(?<![\w/<])[\w.:@~+=%-]+/(?:{_PART}*{_END})?"
    r"|(?<![\w.<-])(?P<host>[\w-]+(?:\.[\w-]+){2,})(?::\d+)?",
    re.IGNORECASE,
)
_SERVICE: Final = re.compile(
    r"(?:^|[/.])(ecr|ssm|secretsmanager|logs|s3|efs|kms|sts)(?:\.[\w-]+)?\.amazonaws\.com(?![\w-])", re.IGNORECASE
)


def without_names(text: str, known: Iterable[str] = ()) -> str:
    """The text with a placeholder for every name in it. Pure; never raises.

    `known`: names that are known to be names, the images of the task's containers. One that could as well be a word of
    the sentence (`redis`) is found only where a name stands.
    """
    text = text.replace('\\"', '"')
    for name in sorted({one for one in known if re.search(r"\W", one)}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", NAME, text, flags=re.IGNORECASE)
    return _SHAPES.sub(_placeholder, text)


def _placeholder(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    if before := found["before"] or found["listed"]:
        return before + NAME
    service = _SERVICE.search(found[0])
    quote = found["quote"] or ""
    end = found[0][len(found[0].rstrip(":.")) :] if found["url"] else ""
    return f"{quote}{f'<{service[1].lower()}>' if service else NAME}{quote}{end}"
