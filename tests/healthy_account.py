"""An account in which nothing is wrong, made by AWS's own calls: for moto and for ministack alike.

What a stack makes itself is here under the stack's logical ids, each thing as template.yaml has it as far as a doctor
looks at it. What the operator makes is as docs/deploy.md says.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from reach import __version__
from tests.contract.table import create_containers_table
from tests.moto_aws import REGION
from tests.template import load_template

STACK: Final = "sockerless-reach"
CLUSTER: Final = "work"
LOG_GROUP: Final = "/work/tasks"
PREFIX: Final = "sockerless"
ANYWHERE: Final = [{"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
INDEX: Final = "application/vnd.oci.image.index.v1+json"
TLS_ALONE: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}
"""The policy of the file system, as foundation.yaml has it: what IAM allows is left."""
POSIX: Final = {"file-owner": "0", "file-group": "0", "file-permissions": "0100755"}
ELF_OF_X86_64: Final = b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + (0x3E).to_bytes(2, "little") + bytes(100)
ELF_OF_ARM64: Final = ELF_OF_X86_64[:18] + (0xB7).to_bytes(2, "little") + bytes(100)
FUNCTIONS: Final = ("TaskState", "AgentHealth", "StartContainer", "StopContainer", "Reconcile")

Clients = Callable[[str], Any]


def trust(service: str) -> str:
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(*statements: dict[str, Any]) -> str:
    """A policy that allows."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


@cache
def defaults() -> dict[str, str]:
    """Of the template's parameters. Read once: the template is long."""
    return {name: str(one["Default"]) for name, one in load_template()["Parameters"].items()}


@dataclass
class HealthyAccount:
    """The stack's parameters, outputs and resources (logical -> physical id), and the ids that tests change things by.

    `name` makes the names of what has one name in an account unique.
    """

    client: Clients
    account: str
    name: str = STACK
    parameters: dict[str, str] = field(default_factory=lambda: {**defaults(), "ClusterName": CLUSTER})
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def make(self) -> None:
        """Everything, with the agent on EFS."""
        self.make_network()
        self.make_cluster()
        self.make_roles()
        self.make_efs()
        self.make_table()
        self.make_events()
        self.make_functions()
        self.outputs |= {"DashboardUrl": "https://console.aws.amazon.com/", "TemplateVersion": __version__}

    # -------------------------------------------------------------------- network
    def make_network(self) -> None:
        """A VPC: two private subnets behind a NAT gateway, the DynamoDB endpoint, and the security groups."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
                "SubnetId"
            ]
            for number, zone in ((1, "a"), (2, "b"), (9, "a"))
        ]
        *private, public = subnets
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        associations = [ec2.associate_route_table(RouteTableId=table, SubnetId=one)["AssociationId"] for one in private]
        endpoint = ec2.create_vpc_endpoint(
            VpcEndpointType="Gateway",
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{REGION}.dynamodb",
            RouteTableIds=[table],
        )["VpcEndpoint"]["VpcEndpointId"]
        self.ids |= {
            "vpc": vpc,
            "subnet-a": private[0],
            "subnet-b": private[1],
            "public": public,
            "gateway": gateway,
            "nat": nat,
            "table": table,
            "association-a": associations[0],
            "dynamodb": endpoint,
        }
        for name in ("tasks", "backend", "prober", "storage"):
            group = ec2.create_security_group(GroupName=f"{name}-{vpc}", Description=name, VpcId=vpc)
            self.ids[name] = group["GroupId"]
        self.let_in("tasks", 9111, "prober")
        self.let_in("tasks", 9111, "backend")
        self.let_in("storage", 2049, "tasks")
        self.parameters |= {
            "VpcId": vpc,
            "TaskSubnets": ",".join(private),
            "ProberSubnets": ",".join(private),
            "TaskSecurityGroups": self.ids["tasks"],
            "AgentSecurityGroupId": self.ids["tasks"],
        }
        self.outputs["ProberSecurityGroupId"] = self.ids["prober"]

    def let_in(self, group: str, port: int, source: str) -> None:
        """A rule between two of our groups."""
        self.client("ec2").authorize_security_group_ingress(
            GroupId=self.ids[group], IpPermissions=[self._rule(port, source)]
        )

    def keep_out(self, group: str, port: int, source: str) -> None:
        """Takes that rule away."""
        self.client("ec2").revoke_security_group_ingress(
            GroupId=self.ids[group], IpPermissions=[self._rule(port, source)]
        )

    def _rule(self, port: int, source: str) -> dict[str, Any]:
        pair = {"GroupId": self.ids[source]}
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}

    # -------------------------------------------------------------- where tasks run
    def make_cluster(self) -> None:
        """A cluster with Fargate's capacity providers, and the log group of the containers."""
        self.client("ecs").create_cluster(clusterName=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"])
        self.client("logs").create_log_group(logGroupName=LOG_GROUP)
        self.client("logs").put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=30)
        self.parameters["TaskLogGroup"] = LOG_GROUP

    def make_roles(self) -> None:
        """The two roles of the tasks, and the functions' that pass them. The task role has its policy by `make_efs`."""
        iam = self.client("iam")
        for name, parameter in (("execution", "ExecutionRoleArn"), ("task", "TaskRoleArn")):
            made = iam.create_role(
                RoleName=f"{self.name}-{name}", AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com")
            )
            self.parameters[parameter] = made["Role"]["Arn"]
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
        tokens = f"arn:aws:ssm:{REGION}:{self.account}:parameter/{PREFIX}/*"
        for name, actions, resource in (
            ("login", ["ecr:GetAuthorizationToken"], "*"),
            ("pull", pull, "*"),
            ("log", ["logs:CreateLogStream", "logs:PutLogEvents"], "*"),
            ("tokens", ["ssm:GetParameters"], tokens),
        ):
            self.allow("execution", name, {"Action": actions, "Resource": resource})
        passed = {
            "Action": "iam:PassRole",
            "Resource": [self.parameters["ExecutionRoleArn"], self.parameters["TaskRoleArn"]],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        }
        for logical in ("StartContainerRole", "TaskStateRole", "ReconcileRole"):
            made = iam.create_role(
                RoleName=f"{self.name}-{logical}", AssumeRolePolicyDocument=trust("lambda.amazonaws.com")
            )
            self.resources[logical] = made["Role"]["RoleName"]
            self.allow(logical, "pass", passed)

    def allow(self, role: str, name: str, *statements: dict[str, Any]) -> None:
        """Gives one of our roles a policy."""
        self.client("iam").put_role_policy(
            RoleName=f"{self.name}-{role}", PolicyName=name, PolicyDocument=policy(*statements)
        )

    def forbid(self, role: str, name: str) -> None:
        """Takes that policy away."""
        self.client("iam").delete_role_policy(RoleName=f"{self.name}-{role}", PolicyName=name)

    # -------------------------------------------------------------------- storage
    def make_efs(self) -> None:
        """A file system with a mount target in each zone, an access point, and the task role's policy."""
        efs = self.client("efs")
        system = efs.create_file_system(CreationToken=self.name, Encrypted=True)
        efs.put_file_system_policy(FileSystemId=system["FileSystemId"], Policy=json.dumps(TLS_ALONE))
        for zone in "ab":
            target = efs.create_mount_target(
                FileSystemId=system["FileSystemId"],
                SubnetId=self.ids[f"subnet-{zone}"],
                SecurityGroups=[self.ids["storage"]],
            )
            self.ids[f"mount-{zone}"] = target["MountTargetId"]
        point = efs.create_access_point(
            ClientToken=self.name,
            FileSystemId=system["FileSystemId"],
            PosixUser={"Uid": 1000, "Gid": 1000},
            RootDirectory={"Path": "/sockerless/bin"},
        )
        statement = {
            "Action": "elasticfilesystem:ClientMount",
            "Resource": system["FileSystemArn"],
            "Condition": {"ArnEquals": {"elasticfilesystem:AccessPointArn": point["AccessPointArn"]}},
        }
        self.allow("task", "mount", statement)
        self.parameters["EfsFileSystemId"] = system["FileSystemId"]
        self.parameters["EfsAccessPointId"] = point["AccessPointId"]

    def make_s3_files(self) -> None:
        """A bucket with the agent in it, a file system over it with a mount target in each zone, and the policies."""
        s3, s3_files = self.client("s3"), self.client("s3files")
        bucket = f"{self.name}-agent"
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.ids |= {"bucket": bucket, "key": "sockerless/bin/sockerless-agent"}
        self.stage(ELF_OF_X86_64, POSIX)
        role = self.client("iam").create_role(
            RoleName=f"{self.name}-s3-files", AssumeRolePolicyDocument=trust("elasticfilesystem.amazonaws.com")
        )["Role"]
        made = s3_files.create_file_system(bucket=f"arn:aws:s3:::{bucket}", roleArn=role["Arn"])
        system = made["fileSystemArn"]
        for zone in "ab":
            target = s3_files.create_mount_target(
                fileSystemId=system, subnetId=self.ids[f"subnet-{zone}"], securityGroups=[self.ids["storage"]]
            )
            self.ids[f"s3-mount-{zone}"] = target["mountTargetId"]
        point = s3_files.create_access_point(
            fileSystemId=system, posixUser={"uid": 1000, "gid": 1000}, rootDirectory={"path": "/sockerless/bin"}
        )
        self.ids["s3-file-system"] = made["fileSystemId"]
        self.parameters |= {"S3FilesFileSystemArn": system, "S3FilesAccessPointArn": point["accessPointArn"]}

    def stage(self, content: bytes, metadata: dict[str, str]) -> None:
        """Puts an agent into the bucket."""
        self.client("s3").put_object(Bucket=self.ids["bucket"], Key=self.ids["key"], Body=content, Metadata=metadata)

    def make_agent_image(self, *architectures: str) -> str:
        """An image of these architectures in ECR, its name."""
        name = self.client("ecr").create_repository(repositoryName="agent")["repository"]["repositoryUri"]
        self.push_agent_image(*architectures)
        return f"{name}:1"

    def push_agent_image(self, *architectures: str) -> None:
        """Another image under that name."""
        manifests = [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": f"sha256:{number:064x}",
                "size": 1,
                "platform": {"architecture": one, "os": "linux"},
            }
            for number, one in enumerate(architectures, start=1)
        ]
        manifest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        self.client("ecr").put_image(
            repositoryName="agent", imageTag="1", imageManifest=json.dumps(manifest), imageManifestMediaType=INDEX
        )

    # ------------------------------------------------------- what the stack makes
    def make_table(self) -> None:
        """The table, with its stream."""
        dynamodb = self.client("dynamodb")
        name = f"{self.name}-ContainersTable"
        create_containers_table(dynamodb, name)
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        table = dynamodb.update_table(TableName=name, StreamSpecification=stream)["TableDescription"]
        self.ids["stream"] = table["LatestStreamArn"]
        self.outputs["ContainersTableName"] = self.resources["ContainersTable"] = name

    def make_events(self) -> None:
        """The queues and the rule. Its target is set by `make_functions`."""
        sqs, events = self.client("sqs"), self.client("events")
        pattern = {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            "detail": {
                "clusterArn": [f"arn:aws:ecs:{REGION}:{self.account}:cluster/{CLUSTER}"],
                "startedBy": [{"prefix": f"{PREFIX}/"}],
            },
        }
        rule = f"{self.name}-TaskStateRule"
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        self.outputs["TaskStateRuleName"] = rule
        send = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
        redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{self.account}:{self.name}-ProbeDeadLetterQueue"}
        for logical, attributes in (
            ("TaskEventDeadLetterQueue", {"Policy": policy(send)}),
            ("ProbeDeadLetterQueue", {}),
            ("ProbeQueue", {"RedrivePolicy": json.dumps({**redrive, "maxReceiveCount": 5})}),
        ):
            name = f"{self.name}-{logical}"
            self.resources[logical] = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
            self.ids[logical] = f"arn:aws:sqs:{REGION}:{self.account}:{name}"
        self.outputs["ProbeQueueUrl"] = self.resources["ProbeQueue"]

    def make_functions(self) -> None:
        """The five functions, and what starts them."""
        functions, scheduler = self.client("lambda"), self.client("scheduler")
        iam = self.client("iam")
        role = iam.create_role(RoleName=f"{self.name}-function", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        code = _code()
        placement = {"SubnetIds": self.parameters["ProberSubnets"].split(","), "SecurityGroupIds": [self.ids["prober"]]}
        for name in FUNCTIONS:
            made = functions.create_function(
                FunctionName=f"{self.name}-{name}",
                Runtime="python3.13",
                Handler="handler.handler",
                Role=role["Role"]["Arn"],
                Code={"ZipFile": code},
                Environment={"Variables": {"TABLE_NAME": self.outputs["ContainersTableName"]}},
                **({"VpcConfig": placement} if name == "AgentHealth" else {}),
            )
            self.outputs[f"{name}FunctionArn"] = made["FunctionArn"]
        rule, target = self.outputs["TaskStateRuleName"], self.outputs["TaskStateFunctionArn"]
        functions.add_permission(
            FunctionName=target,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=f"arn:aws:events:{REGION}:{self.account}:rule/{rule}",
        )
        self.aim_at(target)
        for name, source in (("AgentHealth", self.ids["ProbeQueue"]), ("Reconcile", self.ids["stream"])):
            mapping = functions.create_event_source_mapping(
                FunctionName=self.outputs[f"{name}FunctionArn"],
                EventSourceArn=source,
                **({} if name == "AgentHealth" else {"StartingPosition": "LATEST"}),
            )
            self.ids[f"source-{name}"] = mapping["UUID"]
        for name in ("EveryMinute", "EveryQuarter", "EveryHour"):
            logical = f"ReconcileFunction{name}"
            self.resources[logical] = f"{self.name}-{logical}"
            scheduler.create_schedule(Name=self.resources[logical], **self.schedule())

    def aim_at(self, function: str, *, dead_letters: bool = True) -> None:
        """Sets the rule's target."""
        target: dict[str, Any] = {"Id": "TaskStateFunction", "Arn": function}
        if dead_letters:
            target["DeadLetterConfig"] = {"Arn": self.ids["TaskEventDeadLetterQueue"]}
        self.client("events").put_targets(Rule=self.outputs["TaskStateRuleName"], Targets=[target])

    def schedule(self, state: str = "ENABLED") -> dict[str, Any]:
        """Of the reconciler."""
        target = {"Arn": self.outputs["ReconcileFunctionArn"], "RoleArn": self.parameters["TaskRoleArn"]}
        return {
            "ScheduleExpression": "rate(1 minute)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
            "State": state,
        }


@cache
def _code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context): pass")
    return packed.getvalue()
