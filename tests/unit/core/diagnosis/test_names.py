"""Names that users chose say nothing, and a text that ECS cut says less: no text of the corpus is misled by either."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diagnosis import diagnose, diagnose_call, diagnose_run_failure
from core.diagnosis.names import without_names
from core.model.failure import Cause
from tests.unit.core.diagnosis.call_texts import FAILURES, TEXTS, Text
from tests.unit.core.diagnosis.stop_texts import PULL, RESOLVE, Case
from tests.unit.core.diagnosis.test_stops import ALL_TEXTS, ENDS, End, seen, task

if TYPE_CHECKING:
    from core.diagnosis import Diagnosis
    from core.diagnosis.row import Row
    from core.model.facts import ContainerSeen

NAMED = [case for case in ALL_TEXTS if "shop" in case.text]
USUAL = "shop"

WORDS = (
    *("throttl", "throttling", "ThrottlingException", "rate-exceeded", "toomanyrequests", "RequestLimitExceeded"),
    *("429", "500", "502", "503", "504", "401", "403", "404", "status-500", "status.code.503", "StatusCode_403"),
    *("internal-server-error", "InternalError", "InternalFailure", "service-unavailable", "bad-gateway", "Unavailable"),
    *("timeout", "i-o-timeout", "deadline-exceeded", "eof", "unexpected-eof", "client.timeout", "connection-reset"),
    *("connection.issue", "connection_refused", "send-request-failed", "no-such-host", "signal-killed"),
    *("not-found", "notfound", "does-not-exist", "manifest-unknown", "name_unknown", "ResourceNotFound"),
    *("AccessDenied", "AccessDeniedException", "access-denied", "unauthorized", "UnauthorizedOperation", "forbidden"),
    *("denied", "not-authorized", "no-basic-auth-credentials", "insufficient_scope", "iam-passrole", "explicit-deny"),
    *("OutOfMemory", "OutOfMemoryError", "oom-killed", "OOMkilled", "killed-due-to-memory-usage"),
    *("no-space-left", "no-space-left-on-device", "not-enough-space", "free-data-blocks"),
    *("exec-format-error", "permission-denied", "no-such-file", "read-only", "not-a-directory", "is-a-directory"),
    *(
        "CannotPullContainerError",
        "CannotStartContainerError",
        "CannotCreateVolumeError",
        "CannotInspectContainerError",
    ),
    *("ResourceInitializationError", "ContainerRuntimeError", "DockerTimeoutError", "TaskFailedToStart", "AGENT"),
    *(
        "efs",
        "mount.nfs4",
        "fsap-1",
        "elasticfilesystem",
        "env-files",
        "environment-files",
        "log-group",
        "logging.driver",
    ),
    *("ssm", "asm", "secretsmanager", "parameter-store", "secrets-manager", "the-secret", "ecr", "registry", "pull"),
    *("manifest", "platform", "descriptor-for-platform", "media-type", "in-toto", "stream-processor", "x509", "ulimit"),
    *(
        "eni",
        "subnet",
        "security-group",
        "network-interface-provision",
        "insufficientfreeaddresses",
        "tagpolicyviolation",
    ),
    *("networkinterfacelimitexceeded", "capacity-unavailable", "vcpu-limit", "vcpu.quota", "ephemeralstorage", "spot"),
    *("SpotInterruption", "maintenance", "task-retirement", "InfrastructureHealth", "execution-role", "rlimit"),
    *(
        "nil-pointer-dereference",
        "panic",
        "linux",
        "windows",
        "amd64",
        "main",
        "init",
        "user",
        "lookup",
        "ref",
        "latest",
    ),
)
HOSTILE = (*WORDS, "a.500.b", "x_500")
"""Names that are right as a tag, as a part of a path, an ARN or a host, and hold what the patterns search for."""

NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from(["-", ".", "_", "--"]).map(lambda sign: sign.join(words))
)
PLACES = (
    "'{}'",
    '"docker.io/team/{0}:{0}"',
    "https://{0}.example.com/v2/{0}/manifests/{0}",
    "arn:aws:iam::123456789012:role/{0}",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:{0}-AbCdEf",
    "registry.{0}.example.com/{0}/{0}:{0}@sha256:c0c0",
    "/srv/{0}/{0}",
    "lookup {0}.example.com",
    "[manifests {0}]",
)
"""How the texts of ECS, containerd and the SDKs quote a name."""


def test_there_are_a_hundred_hostile_names_and_more() -> None:
    """The words of every table are among them."""
    assert len(HOSTILE) >= 100


def diagnosis_of(text: str) -> Diagnosis:
    return diagnose(task(seen(), code="TaskFailedToStart", reason=text))


def verdict(diagnosis: Diagnosis | Row) -> tuple[object, ...]:
    return diagnosis.cause, diagnosis.transient, diagnosis.actor, diagnosis.remedy


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.source)
def test_a_name_that_a_user_chose_never_changes_the_diagnosis_of_a_task(case: Case) -> None:
    """Nothing but ECS's own words decides whether a container is launched again."""
    right = verdict(diagnosis_of(case.text))
    assert [name for name in HOSTILE if verdict(diagnosis_of(case.text.replace(USUAL, name))) != right] == []


@pytest.mark.parametrize(
    "end", [end for end in ENDS if USUAL in (end.stopped.stopped_reason or "")], ids=lambda end: end.source
)
def test_a_name_that_a_user_chose_never_changes_the_diagnosis_of_an_end(end: End) -> None:
    """Services and load balancers have names, too."""
    reason = end.stopped.stopped_reason or ""
    right = verdict(diagnose(end.stopped))
    named = {name: replace(end.stopped, stopped_reason=reason.replace(USUAL, name)) for name in HOSTILE}
    assert [name for name, stopped in named.items() if verdict(diagnose(stopped)) != right] == []


@given(case=st.sampled_from(NAMED), name=NAMES)
def test_no_name_made_of_the_words_of_the_tables_changes_it(case: Case, name: str) -> None:
    """The hundred are not all: names of several such words."""
    assert verdict(diagnosis_of(case.text.replace(USUAL, name))) == verdict(diagnosis_of(case.text))


@given(case=st.sampled_from(ALL_TEXTS), name=st.one_of(NAMES, st.sampled_from(HOSTILE)), place=st.sampled_from(PLACES))
def test_a_name_put_into_a_text_says_nothing(case: Case, name: str, place: str) -> None:
    """However it is quoted: in quotes, as an image, a URL, an ARN, a path, a host, in brackets."""
    assert verdict(diagnosis_of(f"{case.text} {place.format(name)}")) == verdict(diagnosis_of(case.text))


@pytest.mark.parametrize("text", [text for text in TEXTS if USUAL in text.message], ids=lambda text: text.source)
def test_a_name_that_a_user_chose_never_changes_the_diagnosis_of_a_call(text: Text) -> None:
    """The same of API errors: roles, users, containers and values are theirs."""
    right = verdict(diagnose_call(text.code, text.message))
    wrong = [name for name in HOSTILE if verdict(diagnose_call(text.code, text.message.replace(USUAL, name))) != right]
    assert wrong == []


@given(text=st.sampled_from(TEXTS), name=st.one_of(NAMES, st.sampled_from(HOSTILE)), place=st.sampled_from(PLACES))
def test_a_name_put_into_a_message_of_the_api_says_nothing(text: Text, name: str, place: str) -> None:
    """Nor in a class that says little, whose message decides."""
    right = verdict(diagnose_call(text.code, text.message))
    assert verdict(diagnose_call(text.code, f"{text.message} {place.format(name)}")) == right


@given(
    code=st.sampled_from(["ClientException", "InvalidParameterException", "SomethingNewException"]),
    name=st.sampled_from(HOSTILE),
    place=st.sampled_from(PLACES),
)
def test_a_message_that_holds_nothing_but_a_name_says_nothing(code: str, name: str, place: str) -> None:
    """Then the class decides."""
    assert verdict(diagnose_call(code, f"Not valid: {place.format(name)}.")) == verdict(diagnose_call(code, ""))


@given(failure=st.sampled_from(FAILURES), name=st.sampled_from(HOSTILE), place=st.sampled_from(PLACES))
def test_a_name_put_into_a_failure_without_a_task_says_nothing(failure: object, name: str, place: str) -> None:
    """`detail` is free text of ECS's."""
    assert isinstance(failure, type(FAILURES[0]))
    right = verdict(diagnose_run_failure(failure.reason, failure.detail))
    assert verdict(diagnose_run_failure(failure.reason, f"{failure.detail or ''} {place.format(name)}")) == right


@pytest.mark.parametrize("name", ["500", "503-service", "throttling", "i-o-timeout", "connection-reset"])
@pytest.mark.parametrize(
    "words",
    [
        "manifest for {}:1 not found",
        "No such image: {}:1: not found",
        "pull access denied for {}, repository does not exist",
    ],
)
def test_an_image_without_a_registry_is_known_from_the_task(name: str, words: str) -> None:
    """Docker names it without a slash, so its shape is that of a word; the event says which images there are."""
    main = seen(reason=f"{PULL}{words.format(name)}")
    known = diagnose(task(replaced(main, f"{name}:1"), code="TaskFailedToStart"))
    assert (known.cause, known.transient) == (Cause.IMAGE_PULL_FAILED, False)


def replaced(main: ContainerSeen, image: str) -> ContainerSeen:
    return replace(main, image=image)


def test_an_image_that_is_a_word_does_not_take_it_from_ecs() -> None:
    """An image may be called `timeout`; ECS's own `i/o timeout` is still read."""
    text = f"{RESOLVE}docker.io/library/timeout:latest: dial tcp 203.0.113.10:443: i/o timeout"
    diagnosis = diagnose(task(replaced(seen(reason=text), "timeout"), code="TaskFailedToStart"))
    assert (diagnosis.cause, diagnosis.transient) == (Cause.IMAGE_PULL_FAILED, True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("dial tcp 203.0.113.10:443: i/o timeout", "dial tcp <name>: i/o timeout"),
        ("Mount attempt 1/3 failed, input/output error", "Mount attempt 1/3 failed, input/output error"),
        ("no match for platform {linux/arm64/v8}", "no match for platform {linux/arm64/v8}"),
        ("Invalid 'cpu' setting", "Invalid 'cpu' setting"),
        ("b'mount.nfs4: Connection timed out'", "b'mount.nfs4: Connection timed out'"),
        ('process caused "no such file or directory"', 'process caused "no such file or directory"'),
        ("You can't, it isn't there", "You can't, it isn't there"),
        ("The service is unavailable", "The service is unavailable"),
        ("Service shop: ECS is", "Service <name>: ECS is"),
        ("Post https://api.ecr.eu-west-1.amazonaws.com/: EOF", "Post <ecr>: EOF"),
        ("Post https://api.ecr....", "Post <name>...."),
        ("failed to invoke EFS utils: fs-0123.efs.eu-west-1.amazonaws.com.cn:/x", "failed to invoke EFS utils: <efs>"),
        ("stat /a/b...no such file", "stat <name>...no such file"),
        ('exec: \\"echo not found\\": x', "exec: <name>: x"),
        ("cut within 'not-fou", "cut within '<name>'"),
        ("invalid ssm parameters: 500, throttled", "invalid ssm parameters: <name>"),
    ],
)
def test_words_of_ecs_stay_and_names_go(text: str, read: str) -> None:
    """A slash, a quote or a dot alone makes no name; a host of AWS's tells its service."""
    assert without_names(text) == read


@given(text=st.text(max_size=300), known=st.lists(st.text(max_size=20), max_size=3))
def test_any_text_can_be_read(text: str, known: list[str]) -> None:
    """Names are found by shape, and texts may be anything."""
    assert isinstance(without_names(text, known), str)


ERROR_NAME = re.compile(r"^\w+(Error|Exception|ToStart)\b:?")
CUT_BY_ECS = [case for case in ALL_TEXTS if ERROR_NAME.match(case.text)]


@pytest.mark.parametrize("end", ["", "..."])
@pytest.mark.parametrize("case", CUT_BY_ECS, ids=lambda case: case.source)
def test_a_text_that_ecs_cut_keeps_its_cause_or_has_none(case: Case, end: str) -> None:
    """Anywhere behind the error's name; and what would not pass is never launched again for having been cut."""
    found = ERROR_NAME.match(case.text)
    assert found is not None
    wrong = []
    for length in range(found.end(), len(case.text)):
        diagnosis = diagnosis_of(case.text[:length] + end)
        if diagnosis.cause not in {case.cause, Cause.UNKNOWN} or (diagnosis.transient and not case.transient):
            wrong.append((case.text[:length], diagnosis.cause, diagnosis.transient))
    assert wrong == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.source)
def test_a_message_of_the_api_that_is_cut_says_no_more_than_its_class(text: Text) -> None:
    """Its own cause, or what the class alone says; and it never becomes worth another try."""
    alone = diagnose_call(text.code, "")
    wrong = []
    for length in range(len(text.message)):
        diagnosis = diagnose_call(text.code, text.message[:length])
        if diagnosis.cause not in {text.cause, alone.cause, Cause.UNKNOWN} or (
            diagnosis.transient and not (text.transient or alone.transient)
        ):
            wrong.append((text.message[:length], diagnosis.cause, diagnosis.transient))
    assert wrong == []
