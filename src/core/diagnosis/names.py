"""Replaces the names in a text before its words are matched.

ECS, containerd and the SDKs quote images, tags, hosts, ARNs, paths and secrets. Users choose these names, so a name may
contain any word that the tables search for (a tag `500`, a repository `not-found`). Those words decide whether a task
is launched again. So a name is recognised by its shape or by the words before it, and replaced by `NAME`. A host of AWS
is replaced by its service, because often only the host shows which service was out of reach.

Sources of the shapes: the ARN format of the AWS General Reference; the grammar of image references in
distribution/reference; the error texts of containerd, runc, Go's `net` and `net/url`, and botocore.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

NAME: Final = "<name>"

# Words that look like names, because they have a slash or stand in quotes.
_WORDS: Final = (
    r"(?<![\w/.@-])(?:i/o|input/output|net/http|\d+/\d+|(?:linux|windows)/\w+(?:/\w+)?|stopped/terminated)(?![\w/@-])"
    r"|'(?:cpu|memory)'"
)
# A character within a name, and one at its end: punctuation there belongs to the sentence.
_PART: Final = r"[^\s\"'`,;(){}\[\]<>]"
_END: Final = r"[^\s\"'`,;(){}\[\]<>:.]"
_BEFORE: Final = (
    r"resolved? ref(?:erence)?|denied for|manifest for|\blookup|fetch secret|json key|unable to find (?:user|group)|"
    r"\buser:|on resource:|\[(?:manifests|blobs)|\(elb|\bvalue:"
)
_SHAPES: Final = (
    rf"(?P<kept>{_WORDS})"
    # After these words stands a name of any shape. A list of names is the end of its text.
    rf"|(?P<before>(?:{_BEFORE}) )(?!{_WORDS})(?={_PART}){_PART}*?{_END}?(?=[:.,\]]*(?:[\s,;\])]|$))"
    r"|(?P<listed>invalid ssm parameters: |certificate is (?:not )?valid for ).*"
    rf"|(?P<url>\b\w+://{_PART}*)"
    rf"|\barn:aws{_PART}*{_END}"
    # In quotes, a word, a path and an executable are names; a sentence is not. ECS cuts texts within quotes.
    r"|(?<=exec: )\"[^\"]*\""
    r"|(?<=^service )\S+(?=: )"
    r"|(?<!\w)(?P<quote>[\"'`])(?:/[^\"'`]*|[^\s\"'`<]*)(?:(?P=quote)|$)"
    # A path (Fargate 1.4 leaves out the middle of a long text), then an image or media type, then a host.
    rf"|(?<![\w.:<])/(?:(?!\.\.\.){_PART})*(?<=[^:.])"
    rf"|(?<![\w/<])[\w.:@~+=%-]+/(?:{_PART}*{_END})?"
    r"|(?<![\w.<-])(?P<host>[\w-]+(?:\.[\w-]+){2,})(?::\d+)?"
)
_SERVICE: Final = (
    r"(?:^|[/.])(ecr|ssm|secretsmanager|logs|s3|s3files|efs|kms|sts)(?:\.[\w-]+)?\.(?:amazonaws\.com|on\.aws)(?![\w-])"
)


def without_names(text: str, known: Iterable[str] = ()) -> str:
    """The text with a placeholder for every name. Never raises.

    `known` are the images of the task's containers. An image that could be a word (`redis`) is replaced only where
    names stand.
    """
    text = text.replace('\\"', '"')
    for name in sorted({one for one in known if re.search(r"\W", one)}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", NAME, text, flags=re.IGNORECASE)
    return _compiled(_SHAPES).sub(_placeholder, text)


def _placeholder(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    if before := found["before"] or found["listed"]:
        return before + NAME
    service = _compiled(_SERVICE).search(found[0])
    quote = found["quote"] or ""
    end = found[0][len(found[0].rstrip(":.")) :] if found["url"] else ""
    return f"{quote}{f'<{service[1].lower()}>' if service else NAME}{quote}{end}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """When a text is read, not when the module is: it takes a tenth of the core's import, and few events need it."""
    return re.compile(pattern, re.IGNORECASE)
