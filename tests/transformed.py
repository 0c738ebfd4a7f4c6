"""template.yaml as CloudFormation executes it: expanded by the real SAM transform, and resolved as in an account.

AWS runs the same code (aws-sam-translator) when a stack is deployed. What it adds, names and roles, is in no file.
foundation.yaml has loops and no SAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

import boto3
from ministack.services.cloudformation.language_extensions import apply  # type: ignore[import-untyped]
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

from tests.template import FOUNDATION, NO_VALUE, PSEUDO_PARAMETERS, Resolved, load_template

CODE: Final = "s3://packages/sockerless-reach"
"""Where `sam deploy` puts what `sam build` made; the transform takes no directory."""

CHOICES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "nothing": {},
        "everything": {
            "TaskSubnets": "subnet-00000001,subnet-00000002",
            "TaskSecurityGroups": "sg-00000001",
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "TaskRoleArn": "arn:aws:iam::123456789012:role/service/task",
            "TaskLogGroup": "/tasks",
            "InjectionStrategy": "efs",
            "EfsFileSystemId": "fs-12345678",
            "EfsAccessPointId": "fsap-12345678",
            "S3FilesFileSystemArn": "arn:aws:s3files:us-east-1:123456789012:file-system/fs-12345678901234567",
            "S3FilesAccessPointArn": (
                "arn:aws:s3files:us-east-1:123456789012:file-system/fs-12345678901234567"
                "/access-point/fsap-12345678901234567"
            ),
            "TokenDelivery": "ssm",
            "VpcId": "vpc-12345678",
            "ProberSubnets": "subnet-00000001,subnet-00000002",
            "ProberRouteTableIds": "rtb-12345678",
            "ProberIpv6": "true",
            "AgentSecurityGroupId": "sg-12345678",
            "EarlyProbe": "on",
            "UnreachableTasks": "keep",
            "LeakedTasks": "keep",
        },
        "one role": {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution"},
        "China": {"AWS::Partition": "aws-cn", "AWS::Region": "cn-north-1", "AWS::URLSuffix": "amazonaws.com.cn"},
    }
)
"""Parameters under which the template is looked at: each of its conditions holds in one of them and not in another."""

NEEDED: Final = {"VpcId": "vpc-12345678", "TaskSubnets": "subnet-00000001,subnet-00000002"}
"""The two parameters of foundation.yaml that have no default."""

FOUNDATIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "bucket": NEEDED,
        "efs": {
            **NEEDED,
            "AgentStorage": "efs",
            "AssignPublicIp": "true",
            "ProberSubnets": "subnet-00000003",
            "ProberRouteTableIds": "rtb-12345678",
            "SecretArns": (
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team/db-AbCdEf,"
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team/registry-AbCdEf"
            ),
        },
        "no storage": {**NEEDED, "AgentStorage": "none"},
        "China": {
            **NEEDED,
            "AWS::Partition": "aws-cn",
            "AWS::Region": "cn-north-1",
            "AWS::URLSuffix": "amazonaws.com.cn",
        },
    }
)
"""The same for foundation.yaml."""

# What Fn::GetAtt gives, by type and attribute (CloudFormation's reference, "Return values" of each type).
_S3_FILE_SYSTEM: Final = "s3files:{region}:{account}:file-system/fs-12345678901234567"
_ATTRIBUTES: Final = {
    ("AWS::DynamoDB::Table", "Arn"): "dynamodb:{region}:{account}:table/{name}",
    ("AWS::DynamoDB::Table", "StreamArn"): "dynamodb:{region}:{account}:table/{name}/stream/2026-11-25T00:00:00.000",
    ("AWS::EFS::AccessPoint", "Arn"): "elasticfilesystem:{region}:{account}:access-point/fsap-12345678",
    ("AWS::EFS::FileSystem", "Arn"): "elasticfilesystem:{region}:{account}:file-system/fs-12345678",
    ("AWS::Events::Rule", "Arn"): "events:{region}:{account}:rule/{name}",
    ("AWS::IAM::Role", "Arn"): "iam::{account}:role/{name}",
    ("AWS::Lambda::Function", "Arn"): "lambda:{region}:{account}:function:{name}",
    ("AWS::Logs::LogGroup", "Arn"): "logs:{region}:{account}:log-group:{name}:*",
    ("AWS::S3::Bucket", "Arn"): "s3:::{name}",
    ("AWS::S3Files::AccessPoint", "AccessPointArn"): f"{_S3_FILE_SYSTEM}/access-point/fsap-12345678901234567",
    ("AWS::S3Files::FileSystem", "FileSystemArn"): _S3_FILE_SYSTEM,
    ("AWS::SQS::Queue", "Arn"): "sqs:{region}:{account}:{name}",
}

# What Ref gives, by logical id of foundation.yaml: the value of a parameter, or an id.
_PHYSICAL: Final = {
    "Cluster": "ClusterName",
    "ContainersLogGroup": "TaskLogGroup",
    "EfsFileSystem": "fs-12345678",
    "EfsAccessPoint": "fsap-12345678",
    "EfsStagingAccessPoint": "fsap-12345679",
}


def expanded(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template after the transform, which is given these values of parameters."""
    template = load_template()
    template["Globals"]["Function"]["CodeUri"] = CODE
    session = boto3.Session(region_name=PSEUDO_PARAMETERS["AWS::Region"])
    translator = Translator(None, Parser(), boto_session=session)
    document: dict[str, Any] = translator.translate(template, dict(parameters))
    translator.metrics.publish()  # or it complains in its destructor
    return document


TRANSFORMED: Final = expanded({})
"""It is the same whatever the parameters are: the transform leaves them to CloudFormation."""


class Account(Resolved):
    """A template without transform in an account: references and attributes of resources are what AWS would give."""

    def resources(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Logical id, type and properties of each resource that is made under these parameters."""
        for name, one in self._template["Resources"].items():
            if self._is_made(one):
                properties = self.value(one.get("Properties", {}))
                assert properties is not NO_VALUE
                yield name, one["Type"], properties

    def _is_made(self, one: Mapping[str, Any]) -> bool:
        return "Condition" not in one or self.holds({"Condition": one["Condition"]})

    def conditions(self) -> Iterable[str]:
        """The names of the template's conditions."""
        conditions: Mapping[str, Any] = self._template["Conditions"]
        return conditions

    def attribute(self, resource: str, attribute: str) -> str:
        """An ARN of the attribute's form; of what is no ARN, the words."""
        form = _ATTRIBUTES.get((self._template["Resources"][resource]["Type"], attribute))
        if form is None:
            assert not attribute.endswith("Arn"), f"tests/transformed.py does not know {resource}.{attribute}"
            return super().attribute(resource, attribute)
        partition, region, account, stack = (
            self.reference(f"AWS::{name}") for name in ("Partition", "Region", "AccountId", "StackName")
        )
        return f"arn:{partition}:" + form.format(region=region, account=account, name=f"{stack}-{resource}")


class Deployed(Account):
    """The transformed template.yaml in an account."""

    def __init__(self, choice: str, **parameters: str) -> None:
        """`choice`: one of `CHOICES`. `parameters` override it."""
        super().__init__(TRANSFORMED, **{**CHOICES[choice], **parameters})


class Founded(Account):
    """foundation.yaml in an account, with its loops carried out by ministack, as measured on AWS by its authors."""

    def __init__(self, choice: str, **parameters: str) -> None:
        """`choice`: one of `FOUNDATIONS`. `parameters` override it."""
        self.given = {**FOUNDATIONS[choice], **parameters}
        template = load_template(FOUNDATION)
        declared = {name: str(one["Default"]) for name, one in template["Parameters"].items() if "Default" in one}
        super().__init__(apply(template, {**PSEUDO_PARAMETERS, **declared, **self.given}), **self.given)

    def reference(self, name: str) -> str:
        """A value of the form that AWS would give: what is made is looked at by template.yaml's parameters."""
        return super().reference(_PHYSICAL.get(name, name))

    def attribute(self, resource: str, attribute: str) -> str:
        """The same for attributes."""
        if attribute == "GroupId":
            return f"sg-{crc32(resource.encode()):08x}"
        return super().attribute(resource, attribute)

    def outputs(self) -> dict[str, str]:
        """The outputs that the stack has under these parameters."""
        outputs = self._template["Outputs"].items()
        return {name: self.value(one["Value"]) for name, one in outputs if self._is_made(one)}
