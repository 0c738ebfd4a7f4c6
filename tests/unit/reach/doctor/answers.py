"""AWS's answers where moto 5.2 has none; each is held to botocore's model of the API.

- CloudFormation does not load here: the stack is `HealthyAccount`'s, with the names of template.yaml.
- `iam:SimulatePrincipalPolicy`: the policies that moto keeps decide, with conditions of equality.
- `servicequotas:GetServiceQuota` of Fargate and `lambda:GetAccountSettings`: numbers that a test may change.
- DescribeLogGroups leaves the class out.
- S3 Files: tests/contract/test_doctor.py has it, on ministack.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.validate import ParamValidator

from tests.healthy_account import HealthyAccount
from tests.moto_aws import ACCOUNT, REGION

Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""From the request to AWS's document."""


class Refusal(Exception):
    """Raised by an answer: AWS refuses the call."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self.status = status


class Answers:
    """One account's, in place of moto's: by the name of the operation. `stop`: ends it."""

    current: Answers | None = None

    def __init__(self) -> None:
        self.by_operation: dict[str, Answer] = {}
        self.asked: set[tuple[str, str]] = set()
        """Service and operation of every call."""
        self.account = HealthyAccount(client, ACCOUNT)
        self.status = "UPDATE_COMPLETE"
        self.vcpus = {"L-3032A538": 100.0, "L-36FBB829": 100.0}
        self.unreserved = 1000
        self.by_operation |= {
            "DescribeStacks": self._describe_stacks,
            "ListStackResources": self._list_stack_resources,
            "SimulatePrincipalPolicy": self._simulate,
            "GetServiceQuota": self._get_service_quota,
            "GetAccountSettings": lambda _: {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved}},
        }

    def change(self, service: str, method: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes moto's answer to an operation, in place: for what moto cannot be made to have."""

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = getattr(client(service), method)(**request)
            del found["ResponseMetadata"]
            change(found)
            return found

        self.by_operation[client(service).meta.method_to_api_mapping[method]] = answer

    def refuse(self, operation: str, code: str, message: str = "No.", status: int = 400) -> None:
        """AWS refuses the operation."""

        def answer(_: dict[str, Any]) -> dict[str, Any]:
            raise Refusal(code, message, status)

        self.by_operation[operation] = answer

    def by_default(self, *, vcpus: float) -> None:
        """The account has no quota of Fargate of its own."""
        self.refuse("GetServiceQuota", "NoSuchResourceException", status=404)
        self.by_operation["GetAWSDefaultServiceQuota"] = lambda _: {"Quota": {"Value": vcpus}}

    def _describe_stacks(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["StackName"] != self.account.name:
            raise Refusal("ValidationError", f"Stack with id {request['StackName']} does not exist")
        parameters = [{"ParameterKey": key, "ParameterValue": one} for key, one in self.account.parameters.items()]
        outputs = [{"OutputKey": key, "OutputValue": one} for key, one in self.account.outputs.items()]
        stack = {
            "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.account.name}/1",
            "StackName": self.account.name,
            "StackStatus": self.status,
            "CreationTime": "2026-11-23T10:00:00Z",
            "Parameters": parameters,
            "Outputs": outputs,
        }
        return {"Stacks": [stack]}

    def _list_stack_resources(self, _: dict[str, Any]) -> dict[str, Any]:
        summaries = [
            {
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical,
                "ResourceType": "AWS::Any::Thing",
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": "2026-11-23T10:00:00Z",
            }
            for logical, physical in self.account.resources.items()
        ]
        return {"StackResourceSummaries": summaries}

    def _get_service_quota(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Quota": {"QuotaCode": request["QuotaCode"], "Value": self.vcpus[request["QuotaCode"]]}}

    def _simulate(self, request: dict[str, Any]) -> dict[str, Any]:
        """Each action on the one resource, by the inline policies of the role."""
        iam, role = client("iam"), request["PolicySourceArn"].rpartition("/")[2]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]  # NoSuchEntity, as IAM has it
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        statements = [statement for document in documents for statement in document["Statement"]]
        context = {one["ContextKeyName"]: one["ContextKeyValues"][0] for one in request.get("ContextEntries", ())}
        [resource] = request["ResourceArns"]
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": _decision(statements, action, resource, context)}
                for action in request["ActionNames"]
            ]
        }


def client(service: str) -> Any:
    """One for all tests, as `tests.moto_aws.client`; it asks the current answers first."""
    return _client(service)


@cache
def _client(service: str) -> Any:
    return _session().client(service)  # type: ignore[call-overload]  # the service is any of them


@cache
def _session() -> boto3.Session:
    session = botocore.session.get_session()
    session.register("before-parameter-build", _remember)
    session.register("before-call", _answered)  # type: ignore[arg-type]  # its answer counts, whatever the stubs say
    return boto3.Session("test", "test", region_name=REGION, botocore_session=session)


def _remember(**event: Any) -> None:
    event["context"]["asked"] = dict(event["params"])


def _answered(**event: Any) -> tuple[Any, dict[str, Any]] | None:
    """What botocore takes in place of a response; None: the request goes on to moto."""
    answers, model = Answers.current, event["model"]
    if answers is None:
        return None
    answers.asked.add((model.service_model.service_name, model.name))
    if model.name not in answers.by_operation:
        return None
    Answers.current = None  # what an answer asks for itself, moto answers
    try:
        document = answers.by_operation[model.name](event["context"]["asked"])
    except Refusal as refusal:
        return SimpleNamespace(status_code=refusal.status), refusal.answer
    finally:
        Answers.current = answers
    report = ParamValidator().validate(document, model.output_shape)
    assert not report.has_errors(), f"AWS's {model.name} answers otherwise: {report.generate_report()}"
    return SimpleNamespace(status_code=200), document


def _decision(statements: list[dict[str, Any]], action: str, resource: str, context: dict[str, str]) -> str:
    """`Allow` with conditions of equality is all that `HealthyAccount` writes."""
    for one in statements:
        keys = [(key, value) for pairs in one.get("Condition", {}).values() for key, value in pairs.items()]
        if (
            any(fnmatchcase(action, pattern) for pattern in _list(one["Action"]))
            and any(fnmatchcase(resource, pattern) for pattern in _list(one["Resource"]))
            and all(context.get(key) == value for key, value in keys)
        ):
            return "allowed"
    return "implicitDeny"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
