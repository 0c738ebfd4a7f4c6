"""Refused calls: every exception class of the API model, and the texts in which AWS hides something else."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.aws_errors import translated
from core.diagnosis import Actor, diagnose_call, diagnose_run_failure
from core.diagnosis.order import RUN_FAILURES
from core.diagnosis.row import Row
from core.launch.ecs_rules import MAX_CPU_UNITS, MAX_MEMORY_MIB, smallest_size
from core.model.errors import CallFailed
from core.model.failure import Cause
from tests.unit.core.diagnosis.call_texts import FAILURES, TEXTS, Failure, Text

CLASSES = [
    ("AccessDenied", Cause.PERMISSION, False, Actor.OPERATOR),
    ("AccessDeniedException", Cause.PERMISSION, False, Actor.OPERATOR),
    ("BlockedException", Cause.PERMISSION, False, Actor.OPERATOR),
    ("ClientException", Cause.TASK_DEFINITION, False, Actor.USER),
    ("ClusterNotFoundException", Cause.UNKNOWN, False, Actor.OPERATOR),
    ("ConflictException", Cause.UNKNOWN, False, Actor.OPERATOR),
    ("InvalidParameterException", Cause.TASK_DEFINITION, False, Actor.USER),
    ("LimitExceededException", Cause.CAPACITY, False, Actor.OPERATOR),
    ("PlatformTaskDefinitionIncompatibilityException", Cause.TASK_DEFINITION, False, Actor.USER),
    ("PlatformUnknownException", Cause.TASK_DEFINITION, False, Actor.OPERATOR),
    ("ServerException", Cause.UNKNOWN, True, Actor.AWS),
    ("ServiceNotFoundException", Cause.UNKNOWN, False, Actor.OPERATOR),
    ("UnsupportedFeatureException", Cause.TASK_DEFINITION, False, Actor.OPERATOR),
    # Common to all APIs
    ("ThrottlingException", Cause.THROTTLED, True, Actor.AWS),
    ("RequestLimitExceeded", Cause.THROTTLED, True, Actor.AWS),
    ("InternalFailure", Cause.UNKNOWN, True, Actor.AWS),
    ("ServiceUnavailable", Cause.UNKNOWN, True, Actor.AWS),
    ("UnrecognizedClientException", Cause.PERMISSION, False, Actor.OPERATOR),
    ("InvalidSignatureException", Cause.PERMISSION, False, Actor.OPERATOR),
    ("ExpiredTokenException", Cause.PERMISSION, True, Actor.OPERATOR),
    ("ExpiredToken", Cause.PERMISSION, True, Actor.OPERATOR),
    ("ValidationException", Cause.TASK_DEFINITION, False, Actor.USER),
    # Systems Manager's, where the token is kept
    ("TooManyUpdates", Cause.THROTTLED, True, Actor.AWS),
    ("ParameterLimitExceeded", Cause.SECRETS, False, Actor.OPERATOR),
    ("InvalidKeyId", Cause.SECRETS, False, Actor.OPERATOR),
    ("InternalServerError", Cause.UNKNOWN, True, Actor.AWS),
    # botocore's own, by class name
    ("EndpointConnectionError", Cause.UNKNOWN, True, Actor.OPERATOR),
    ("ConnectTimeoutError", Cause.UNKNOWN, True, Actor.OPERATOR),
    ("ReadTimeoutError", Cause.UNKNOWN, True, Actor.OPERATOR),
    ("ConnectionClosedError", Cause.UNKNOWN, True, Actor.OPERATOR),
    ("SSLError", Cause.UNKNOWN, True, Actor.OPERATOR),
    ("NoCredentialsError", Cause.PERMISSION, False, Actor.OPERATOR),
    ("NoRegionError", Cause.UNKNOWN, False, Actor.OPERATOR),
    ("ParamValidationError", Cause.TASK_DEFINITION, False, Actor.USER),
    ("SomethingNewException", Cause.UNKNOWN, False, Actor.OPERATOR),
]


def test_the_sizes_that_a_remedy_names_are_fargates() -> None:
    """From the smallest to the largest that a launch asks for."""
    (small, least), (large, most) = smallest_size(), smallest_size(MAX_CPU_UNITS, MAX_MEMORY_MIB)
    remedy = diagnose_call("ClientException", "Invalid 'cpu' setting for task.").remedy
    assert f"{small}/{least} up to {large}/{most}" in remedy


@pytest.mark.parametrize(("code", "cause", "transient", "actor"), CLASSES)
def test_a_class_alone_says_what_kind_of_failure_it_is(code: str, cause: Cause, transient: bool, actor: Actor) -> None:
    """Messages may be empty; the class is enough to know whether the same call can succeed."""
    diagnosis = diagnose_call(code, "")
    assert (diagnosis.cause, diagnosis.transient, diagnosis.actor) == (cause, transient, actor)
    assert diagnosis.remedy


@pytest.mark.parametrize("operation", ["RunTask", "RegisterTaskDefinition", "StopTask", "DescribeTasks", "ListTasks"])
def test_every_exception_of_the_api_model_is_in_the_list_above(operation: str) -> None:
    """botocore's model is the authority on what these calls raise; a new class must be decided on."""
    shapes = get_session().get_service_model("ecs").operation_model(operation).error_shapes
    assert {shape.name for shape in shapes} <= {code for code, *_ in CLASSES}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.source)
def test_what_the_message_says_counts_before_its_class(text: Text) -> None:
    """AWS wraps one service's throttling, refusal or quota in another's class."""
    diagnosis = diagnose_call(text.code, text.message)
    assert (diagnosis.cause, diagnosis.transient) == (text.cause, text.transient)
    assert text.remedy in diagnosis.remedy


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.source)
def test_a_failure_without_a_task_is_diagnosed_by_its_reason(failure: Failure) -> None:
    """RunTask answers 200 with `failures` and no task (ecs.md 5)."""
    diagnosis = diagnose_run_failure(failure.reason, failure.detail)
    assert (diagnosis.cause, diagnosis.transient) == (failure.cause, failure.transient)
    assert failure.remedy in diagnosis.remedy


@pytest.mark.parametrize(
    "code", ["com.amazonaws.ecs#ThrottlingException", "throttlingexception", "ThrottlingException:http://internal/"]
)
def test_prefix_and_case_of_a_code_do_not_matter(code: str) -> None:
    """The JSON protocol's `__type` may carry a namespace before the name and a URL behind it."""
    assert diagnose_call(code, "").cause is Cause.THROTTLED


@pytest.mark.parametrize(
    ("status", "cause", "transient", "actor"),
    [
        (400, Cause.UNKNOWN, False, Actor.OPERATOR),
        (429, Cause.THROTTLED, True, Actor.AWS),
        (500, Cause.UNKNOWN, True, Actor.AWS),
        (503, Cause.UNKNOWN, True, Actor.AWS),
    ],
)
def test_the_status_tells_whose_failure_an_unknown_class_is(
    status: int, cause: Cause, transient: bool, actor: Actor
) -> None:
    """AWS adds classes, and a load balancer in front of an API has none; the adapter hands the status on."""
    diagnosis = diagnose_call("SomethingNewException", "", status)
    assert (diagnosis.cause, diagnosis.transient, diagnosis.actor) == (cause, transient, actor)
    error = ClientError(
        {
            "Error": {"Code": "SomethingNewException", "Message": ""},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "RunTask",
    )
    with pytest.raises(CallFailed) as caught, translated("RunTask"):
        raise error
    assert (caught.value.cause, caught.value.transient, caught.value.uncertain) == (cause, transient, status >= 500)


REMEDIES = {
    *(diagnose_call(code, "").remedy for code, *_ in CLASSES),
    *(diagnose_call(text.code, text.message).remedy for text in TEXTS),
    *(diagnose_run_failure(one.reason, one.detail).remedy for one in FAILURES),
}
# The rows for capacity and network interfaces are shared with the stops, and tried there text by text.
OWN = [row for row in RUN_FAILURES if not row.summary]


@pytest.mark.parametrize("row", OWN, ids=lambda row: row.remedy[:50])
def test_every_row_decides_some_case(row: Row) -> None:
    """No row is hidden behind a more general one above it."""
    assert row.remedy in REMEDIES


@given(code=st.text(max_size=60), message=st.text(max_size=200))
def test_any_code_and_message_have_a_diagnosis(code: str, message: str) -> None:
    """An error of AWS's must not become an error of ours."""
    diagnosis = diagnose_call(code, message)
    assert isinstance(diagnosis, Row)
    assert diagnosis.remedy.strip()


@given(reason=st.text(max_size=200), detail=st.one_of(st.none(), st.text(max_size=200)))
def test_any_failure_has_a_diagnosis(reason: str, detail: str | None) -> None:
    """`detail` is usually absent, and neither member has a closed set of values."""
    assert diagnose_run_failure(reason, detail).remedy.strip()
