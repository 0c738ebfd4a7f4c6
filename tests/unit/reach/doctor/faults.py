"""What can be wrong with a healthy account: each fault breaks one thing, and says what the doctor has to find."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from core.launch.request import Platform
from core.model.parts import AgentWarning
from core.storage.item import to_item
from tests.healthy_account import trust
from tests.moto_aws import ACCOUNT, REGION
from tests.records import healthy
from tests.unit.reach.doctor.answers import Answers, client

Plant = Callable[[Answers], Any]
NOWHERE: Final = "0123456789abcdef0"
"""The end of an id that nothing has."""


@dataclass(frozen=True)
class Fault:
    """`first` prepares a healthy account of another kind, then `plant` breaks one thing of it.

    `wrong`: the checks that find it. `unknown`: those that cannot look any more. `silent`: those that have nothing left
    to look at. `mend` is part of what is said to mend it.
    """

    plant: Plant
    wrong: str | tuple[str, ...]
    mend: str
    unknown: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    first: Plant | None = None
    given: Mapping[str, Any] = field(default_factory=dict)


# other kinds of account
def with_endpoints(answers: Answers) -> None:
    """No way to the internet; endpoints for all that tasks need, with their own security group."""
    account, ec2 = answers.account, client("ec2")
    account.parameters["TokenDelivery"] = "ssm"
    ec2.delete_route(RouteTableId=account.ids["table"], DestinationCidrBlock="0.0.0.0/0")
    made = ec2.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=account.ids["vpc"])
    account.ids["endpoints"] = made["GroupId"]
    account.let_in("endpoints", 443, "tasks")
    for service in ("ecr.api", "ecr.dkr", "logs", "ssm"):
        endpoint(answers, service)
    made = ec2.create_vpc_endpoint(
        VpcEndpointType="Gateway",
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[account.ids["table"]],
    )
    account.ids["s3"] = made["VpcEndpoint"]["VpcEndpointId"]


def endpoint(answers: Answers, service: str, *, private_dns: bool = True) -> None:
    account = answers.account
    made = client("ec2").create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.{service}",
        SubnetIds=[account.ids["subnet-a"], account.ids["subnet-b"]],
        SecurityGroupIds=[account.ids["endpoints"]],
        PrivateDnsEnabled=private_dns,
    )
    account.ids[service] = made["VpcEndpoint"]["VpcEndpointId"]


def in_public_subnets(answers: Answers) -> None:
    """Tasks with public addresses, behind an internet gateway."""
    route_to(answers, GatewayId=answers.account.ids["gateway"])
    answers.account.parameters["AssignPublicIp"] = "true"


def with_agent_image(answers: Answers) -> None:
    """The agent in an image of ECR, for both processors."""
    answers.account.parameters |= {"EfsFileSystemId": "", "EfsAccessPointId": ""}
    answers.account.parameters["AgentImage"] = answers.account.make_agent_image("amd64", "arm64")


def with_backend(answers: Answers) -> dict[str, Any]:
    return {"backend": answers.account.ids["backend"]}


def on_spot(answers: Answers) -> None:
    answers.account.parameters["Capacity"] = "spot"


def with_ssm(answers: Answers) -> None:
    answers.account.parameters["TokenDelivery"] = "ssm"


# ways to break something
def setting(name: str, value: str) -> Plant:
    """Another value of a parameter."""
    return lambda answers: answers.account.parameters.update({name: value})


def output(name: str, value: str | None) -> Plant:
    """Another value of an output; None: it is not there."""

    def plant(answers: Answers) -> None:
        answers.account.outputs.pop(name)
        if value is not None:
            answers.account.outputs[name] = value

    return plant


def also_in(name: str, value: str) -> Plant:
    """One more of a list."""

    def plant(answers: Answers) -> None:
        answers.account.parameters[name] += f",{value}"

    return plant


def calling(service: str, operation: str, **request: Any) -> Plant:
    """A call of AWS. A request value that is a function takes the account."""

    def plant(answers: Answers) -> None:
        filled = {name: one(answers.account) if callable(one) else one for name, one in request.items()}
        getattr(client(service), operation)(**filled)

    return plant


def answering(service: str, method: str, change: Callable[[dict[str, Any]], object]) -> Plant:
    """Moto's answer, changed: for what moto cannot be made to have."""
    return lambda answers: answers.change(service, method, change)


def refusing(operation: str, code: str, message: str) -> Plant:
    """AWS refuses the call."""
    return lambda answers: answers.refuse(operation, code, message)


def id_of(name: str) -> Callable[[Any], str]:
    return lambda account: account.ids[name]


def resource(name: str) -> Callable[[Any], str]:
    return lambda account: account.resources[name]


def out(name: str) -> Callable[[Any], str]:
    return lambda account: account.outputs[name]


def route_to(answers: Answers, **target: str) -> None:
    """Another default route of the private subnets."""
    ec2, table = client("ec2"), answers.account.ids["table"]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)


def gone_stack(answers: Answers) -> None:
    answers.account.name = "another"


def small_subnet(answers: Answers) -> None:
    """Eleven free addresses, and otherwise as the others."""
    account, ec2 = answers.account, client("ec2")
    made = ec2.create_subnet(VpcId=account.ids["vpc"], CidrBlock="10.0.3.0/28", AvailabilityZone=f"{REGION}a")
    ec2.associate_route_table(RouteTableId=account.ids["table"], SubnetId=made["Subnet"]["SubnetId"])
    also_in("TaskSubnets", made["Subnet"]["SubnetId"])(answers)


def elsewhere_too(answers: Answers) -> None:
    """A subnet of another VPC, which has a way out."""
    account, ec2 = answers.account, client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=account.ids["nat"])
    ec2.associate_route_table(RouteTableId=table, SubnetId=made["SubnetId"])
    also_in("TaskSubnets", made["SubnetId"])(answers)
    account.client("ec2").authorize_security_group_ingress(
        GroupId=account.ids["storage"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
    )


def egress_only(group: str, port: int) -> Plant:
    """Lets nothing out but TCP `port`."""

    def plant(answers: Answers) -> None:
        ec2, name = client("ec2"), answers.account.ids[group]
        [found] = ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"]
        ec2.revoke_security_group_egress(GroupId=name, IpPermissions=found["IpPermissionsEgress"])
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_egress(GroupId=name, IpPermissions=[rule])

    return plant


def no_endpoint(service: str) -> Plant:
    return lambda answers: client("ec2").delete_vpc_endpoints(VpcEndpointIds=[answers.account.ids[service]])


def no_private_dns(answers: Answers) -> None:
    no_endpoint("logs")(answers)
    endpoint(answers, "logs", private_dns=False)


def no_dynamodb(answers: Answers) -> None:
    """Public addresses serve tasks, not functions."""
    no_endpoint("dynamodb")(answers)


def no_file_system(answers: Answers) -> None:
    """moto raises a KeyError where AWS says that there is none."""
    answers.account.parameters["EfsFileSystemId"] = f"fs-{NOWHERE}"
    for operation in ("DescribeMountTargets", "DescribeFileSystemPolicy"):
        refusing(operation, "FileSystemNotFound", "It does not exist.")(answers)


def other_file_system(answers: Answers) -> None:
    """Whose access point the stack has, while its file system is the old one."""
    efs, account = client("efs"), answers.account
    system = efs.create_file_system(CreationToken="other")["FileSystemId"]
    account.parameters["EfsAccessPointId"] = efs.create_access_point(FileSystemId=system)["AccessPointId"]


def no_mount_for_all(answers: Answers) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "elasticfilesystem:ClientMount",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("efs").put_file_system_policy(FileSystemId=answers.account.parameters["EfsFileSystemId"], Policy=policy)


def trusting(role: str, document: str) -> Plant:
    return lambda answers: client("iam").update_assume_role_policy(
        RoleName=f"{answers.account.name}-{role}", PolicyDocument=document
    )


def without_policy(role: str, name: str) -> Plant:
    return lambda answers: answers.account.forbid(role, name)


def no_task_role(answers: Answers) -> None:
    answers.account.forbid("task", "mount")
    client("iam").delete_role(RoleName=f"{answers.account.name}-task")


def other_cluster(answers: Answers) -> None:
    pattern = {"source": ["aws.ecs"], "detail": {"clusterArn": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/other"]}}
    client("events").put_rule(Name=answers.account.outputs["TaskStateRuleName"], EventPattern=json.dumps(pattern))


def rule_gone(answers: Answers) -> None:
    rule = answers.account.outputs["TaskStateRuleName"]
    client("events").remove_targets(Rule=rule, Ids=["TaskStateFunction"])
    client("events").delete_rule(Name=rule)


def old_probe(answers: Answers) -> None:
    client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": f"{answers.account.name}-ProbeQueue"}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
                "Value": 400.0,
            }
        ],
    )


def no_schedule(answers: Answers) -> None:
    account = answers.account
    name = account.resources["ReconcileFunctionEveryMinute"]
    client("scheduler").update_schedule(Name=name, **account.schedule("DISABLED"))


def warned_container(answers: Answers) -> None:
    put_item(answers, to_item(healthy(warning=AgentWarning("The agent shows no child.", "Check AgentFlavor."))))


def put_item(answers: Answers, item: dict[str, Any]) -> None:
    """Writes an item of a container."""
    typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    client("dynamodb").put_item(TableName=answers.account.outputs["ContainersTableName"], Item=typed)


def nat_gone(answers: Answers) -> None:
    client("ec2").delete_nat_gateway(NatGatewayId=answers.account.ids["nat"])


def image_outside_of_ecr(answers: Answers) -> None:
    answers.account.parameters |= {
        "EfsFileSystemId": "",
        "EfsAccessPointId": "",
        "AgentImage": "docker.io/team/agent:1",
    }


def capacity_of(*providers: str) -> Plant:
    return lambda _: client("ecs").put_cluster_capacity_providers(
        cluster="work", capacityProviders=list(providers), defaultCapacityProviderStrategy=[]
    )


def state_of(**members: Any) -> Callable[[dict[str, Any]], object]:
    """Changes members of a function's configuration, of StopContainerFunction alone."""
    return lambda found: found.update(members) if found["FunctionName"].endswith("StopContainer") else None


EVERY_WAY: Final = ("way-to-registry", "way-to-logs")
NO_STORAGE: Final = ("efs-file-system", "efs-policy", "efs-mount-targets", "efs-port", "efs-access-point", "efs-binary")

FAULTS: Final = {
    # -------------------------------------------------------------------- account
    "expired credentials": Fault(
        refusing("GetCallerIdentity", "ExpiredToken", "The security token is expired"), "credentials", "aws sso login"
    ),
    "environment of another stack": Fault(
        lambda _: None,
        "environment",
        "unset CONTAINERS_TABLE_NAME",
        given={"environment": {"CONTAINERS_TABLE_NAME": "another"}},
    ),
    # ---------------------------------------------------------------------- stack
    "failed deployment": Fault(
        lambda answers: setattr(answers, "status", "UPDATE_ROLLBACK_COMPLETE"), "status", "describe-stack-events"
    ),
    "older template": Fault(output("TemplateVersion", "0.0.9"), "template-version", "sam deploy"),
    "template before versions": Fault(output("TemplateVersion", None), "template-version", "sam deploy"),
    "missing output": Fault(output("DashboardUrl", None), "outputs", "sam deploy"),
    "table deleted": Fault(
        calling("dynamodb", "delete_table", TableName=out("ContainersTableName")),
        "table",
        "Backups",
        silent=("expiry",),
    ),
    "table without a stream": Fault(
        calling(
            "dynamodb",
            "update_table",
            TableName=out("ContainersTableName"),
            StreamSpecification={"StreamEnabled": False},
        ),
        "table",
        "sam deploy",
    ),
    "table without its index": Fault(
        calling(
            "dynamodb",
            "update_table",
            TableName=out("ContainersTableName"),
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "watch-index"}}],
        ),
        "table",
        "sam deploy",
    ),
    "items that never expire": Fault(
        calling(
            "dynamodb",
            "update_time_to_live",
            TableName=out("ContainersTableName"),
            TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"},
        ),
        "expiry",
        "update-time-to-live",
    ),
    # -------------------------------------------------------------------- cluster
    "cluster deleted": Fault(calling("ecs", "delete_cluster", cluster="work"), "cluster", "create-cluster"),
    "cluster without Spot": Fault(
        capacity_of("FARGATE"), "capacity-providers", "put-cluster-capacity-providers", first=on_spot
    ),
    "no quota of Fargate": Fault(
        lambda answers: answers.vcpus.update({"L-3032A538": 1.0}), "fargate-quota", "Service Quotas, AWS Fargate"
    ),
    "no quota of Spot": Fault(
        lambda answers: answers.vcpus.update({"L-36FBB829": 0.0}),
        "fargate-quota",
        "Service Quotas, AWS Fargate",
        first=on_spot,
    ),
    "log group deleted": Fault(
        calling("logs", "delete_log_group", logGroupName="/sockerless/tasks"), "log-group", "create-log-group"
    ),
    "log group for infrequent access": Fault(
        answering(
            "logs",
            "describe_log_groups",
            lambda found: [one.update(logGroupClass="INFREQUENT_ACCESS") for one in found["logGroups"]],
        ),
        "log-group",
        "TaskLogGroup=",
    ),
    # -------------------------------------------------------------------- network
    "unknown subnet": Fault(also_in("TaskSubnets", f"subnet-{NOWHERE}"), "task-subnets", "describe-subnets"),
    "no subnets": Fault(
        setting("TaskSubnets", ""),
        "task-subnets",
        "TaskSubnets=",
        silent=(
            *("free-addresses", "zones", "vpc-dns", *EVERY_WAY),
            *("agent-networks", "prober-egress", "efs-mount-targets", "efs-port"),
        ),
    ),
    "tasks with IPv6 alone": Fault(
        answering("ec2", "describe_subnets", lambda found: [one.update(Ipv6Native=True) for one in found["Subnets"]]),
        ("prober-ipv6", *EVERY_WAY),
        "ProberIpv6=true",
    ),
    "subnets of two VPCs": Fault(elsewhere_too, "task-subnets", "of one VPC", unknown=("prober-subnets",)),
    "few addresses": Fault(small_subnet, "free-addresses", "describe-network-interfaces"),
    "no DNS names": Fault(
        calling("ec2", "modify_vpc_attribute", VpcId=id_of("vpc"), EnableDnsHostnames={"Value": False}),
        "vpc-dns",
        "--enable-dns-hostnames Value=true",
    ),
    "NAT gateway deleted": Fault(nat_gone, EVERY_WAY, "NAT gateway"),
    "no default route": Fault(
        calling("ec2", "delete_route", RouteTableId=id_of("table"), DestinationCidrBlock="0.0.0.0/0"),
        EVERY_WAY,
        "NAT gateway",
    ),
    "public subnets without public addresses": Fault(
        setting("AssignPublicIp", "false"), EVERY_WAY, "AssignPublicIp=true", first=in_public_subnets
    ),
    "no endpoint of ECR": Fault(no_endpoint("ecr.dkr"), "way-to-registry", "ecr.dkr", first=with_endpoints),
    "no endpoint of S3": Fault(no_endpoint("s3"), "way-to-registry", "gateway endpoint for s3", first=with_endpoints),
    "endpoint without a private name": Fault(
        no_private_dns, "way-to-logs", "--private-dns-enabled", first=with_endpoints
    ),
    "no endpoint of Systems Manager": Fault(no_endpoint("ssm"), "way-to-ssm", "ssm", first=with_endpoints),
    "endpoints closed to the tasks": Fault(
        lambda answers: answers.account.keep_out("endpoints", 443, "tasks"),
        (*EVERY_WAY, "way-to-ssm"),
        "NAT gateway",
        first=with_endpoints,
    ),
    "image that no endpoint reaches": Fault(
        image_outside_of_ecr,
        "way-to-registry",
        "AgentImage=",
        unknown=("agent-image",),
        silent=(*NO_STORAGE, "may-mount"),
        first=with_endpoints,
    ),
    "nothing let out of the tasks": Fault(egress_only("tasks", 2049), "task-egress", "--port 443"),
    "unknown group of the tasks": Fault(
        also_in("TaskSecurityGroups", f"sg-{NOWHERE}"), "task-groups", "TaskSecurityGroups="
    ),
    "prober not let in": Fault(
        lambda answers: answers.account.keep_out("tasks", 9111, "prober"),
        "agent-port-from-prober",
        "AgentSecurityGroupId=",
    ),
    "agents on another port": Fault(setting("AgentPort", "9112"), "agent-port-from-prober", "--port 9112"),
    "backend not let in": Fault(
        lambda answers: answers.account.keep_out("tasks", 9111, "backend"),
        "agent-port-from-backend",
        "--source-group",
        given={"backend": "backend"},
    ),
    "addresses of the backend not let in": Fault(
        lambda answers: None, "agent-port-from-backend", "--cidr 10.2.0.0/16", given={"backend": "10.2.0.0/16"}
    ),
    "subnets of a public block": Fault(
        setting("AgentNetworks", "10.1.0.0/16,fc00::/7"), "agent-networks", "AgentNetworks=10.1.0.0/16,fc00::/7,10.0."
    ),
    "prober in no VPC": Fault(setting("VpcId", ""), "prober-subnets", "VpcId=", silent=("prober-placement",)),
    "prober in an unknown subnet": Fault(
        also_in("ProberSubnets", f"subnet-{NOWHERE}"), ("prober-subnets", "prober-placement"), "ProberSubnets="
    ),
    "nothing let out of the prober": Fault(egress_only("prober", 9111), "prober-egress", "--port 443"),
    "prober without DynamoDB": Fault(no_dynamodb, "dynamodb-endpoint", "create-vpc-endpoint", first=in_public_subnets),
    # -------------------------------------------------------------------- storage
    "file system that is not ready": Fault(
        answering("efs", "describe_file_systems", lambda found: found["FileSystems"][0].update(LifeCycleState="error")),
        "efs-file-system",
        "describe-file-systems",
    ),
    "another file system": Fault(
        no_file_system,
        ("efs-file-system", "efs-mount-targets", "efs-access-point"),
        "EfsFileSystemId=",
        silent=("efs-policy", "efs-port"),
    ),
    "policy that denies mounts": Fault(no_mount_for_all, "efs-policy", "put-file-system-policy"),
    "zone without a mount target": Fault(
        calling("efs", "delete_mount_target", MountTargetId=id_of("mount-b")),
        "efs-mount-targets",
        "create-mount-target",
    ),
    "NFS closed": Fault(lambda answers: answers.account.keep_out("storage", 2049, "tasks"), "efs-port", "--port 2049"),
    "NFS not let out": Fault(egress_only("tasks", 443), "efs-port", "authorize-security-group-egress"),
    "access point of another file system": Fault(
        other_file_system, ("efs-access-point", "may-mount"), "EfsAccessPointId="
    ),
    "access point deleted": Fault(
        lambda answers: client("efs").delete_access_point(AccessPointId=answers.account.parameters["EfsAccessPointId"]),
        "efs-access-point",
        "describe-access-points",
    ),
    # ---------------------------------------------------------------------- roles
    "execution role for EC2": Fault(
        trusting("execution", trust("ec2.amazonaws.com")), "execution-role", "update-assume-role-policy"
    ),
    "execution role of another account": Fault(
        trusting(
            "execution",
            trust("ecs-tasks.amazonaws.com").replace(
                '"Action"', '"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}, "Action"'
            ),
        ),
        "execution-role",
        "update-assume-role-policy",
    ),
    "task role deleted": Fault(no_task_role, "task-role", "list-roles", unknown=("may-mount",)),
    "no task role": Fault(setting("TaskRoleArn", ""), "task-role", "TaskRoleArn=", silent=("may-mount",)),
    "no login": Fault(without_policy("execution", "login"), "may-pull", "attach-role-policy"),
    "no pull": Fault(without_policy("execution", "pull"), "may-pull", "attach-role-policy", first=with_agent_image),
    "no logs": Fault(without_policy("execution", "log"), "may-log", "AmazonECSTaskExecutionRolePolicy"),
    "no tokens": Fault(without_policy("execution", "tokens"), "may-read-tokens", "put-role-policy", first=with_ssm),
    "no mount": Fault(without_policy("task", "mount"), "may-mount", "put-role-policy"),
    "roles that are not passed": Fault(
        without_policy("StartContainerRole", "pass"), "may-pass-roles", "permissions boundary"
    ),
    # --------------------------------------------------------------------- events
    "rule disabled": Fault(
        calling("events", "disable_rule", Name=out("TaskStateRuleName")), "rule", "aws events enable-rule"
    ),
    "rule deleted": Fault(rule_gone, "rule", "sam deploy", silent=("target",)),
    "rule of another cluster": Fault(other_cluster, "rule", "sam deploy"),
    "rule without its target": Fault(
        calling("events", "remove_targets", Rule=out("TaskStateRuleName"), Ids=["TaskStateFunction"]),
        "target",
        "sam deploy",
    ),
    "target without dead letters": Fault(
        lambda answers: answers.account.aim_at(answers.account.outputs["TaskStateFunctionArn"], dead_letters=False),
        "target",
        "sam deploy",
    ),
    "EventBridge not let in": Fault(
        calling("lambda", "remove_permission", FunctionName=out("TaskStateFunctionArn"), StatementId="rule"),
        "invocation",
        "add-permission",
    ),
    "dead event": Fault(
        calling("sqs", "send_message", QueueUrl=resource("TaskEventDeadLetterQueue"), MessageBody="{}"),
        "dead-events",
        "receive-message",
    ),
    "dead probe": Fault(
        calling("sqs", "send_message", QueueUrl=resource("ProbeDeadLetterQueue"), MessageBody="{}"),
        "dead-probes",
        "start-message-move-task",
    ),
    "dead letters not taken": Fault(
        calling(
            "sqs", "set_queue_attributes", QueueUrl=resource("TaskEventDeadLetterQueue"), Attributes={"Policy": ""}
        ),
        "dead-events",
        "sam deploy",
    ),
    "queue of dead probes deleted": Fault(
        calling("sqs", "delete_queue", QueueUrl=resource("ProbeDeadLetterQueue")), "dead-probes", "sam deploy"
    ),
    "probes without dead letters": Fault(
        calling("sqs", "set_queue_attributes", QueueUrl=resource("ProbeQueue"), Attributes={"RedrivePolicy": ""}),
        "probe-queue",
        "sam deploy",
    ),
    "probe that waits": Fault(old_probe, "waiting-probes", "ProberMaximumConcurrency="),
    # ------------------------------------------------------------------ functions
    "function deleted": Fault(
        calling("lambda", "delete_function", FunctionName=out("StopContainerFunctionArn")), "functions", "sam deploy"
    ),
    "function that failed": Fault(
        answering(
            "lambda", "get_function_configuration", state_of(State="Failed", StateReason="The subnet has no addresses.")
        ),
        "functions",
        "get-function-configuration",
    ),
    "function on another table": Fault(
        answering(
            "lambda", "get_function_configuration", state_of(Environment={"Variables": {"TABLE_NAME": "another"}})
        ),
        "functions",
        "sam deploy",
    ),
    "function stopped": Fault(
        calling(
            "lambda",
            "put_function_concurrency",
            FunctionName=out("ReconcileFunctionArn"),
            ReservedConcurrentExecutions=0,
        ),
        "reserved-concurrency",
        "delete-function-concurrency",
    ),
    "probes not polled": Fault(
        calling("lambda", "update_event_source_mapping", UUID=id_of("source-AgentHealth"), Enabled=False),
        "sources",
        "update-event-source-mapping",
    ),
    "stream without a reader": Fault(
        calling("lambda", "delete_event_source_mapping", UUID=id_of("source-Reconcile")), "sources", "sam deploy"
    ),
    "reconciler not scheduled": Fault(no_schedule, "schedules", "EventBridge, Schedules"),
    "little concurrency": Fault(
        lambda answers: setattr(answers, "unreserved", 9), "concurrency", "ProberMaximumConcurrency=4"
    ),
    # ---------------------------------------------------------------------- agent
    "no agent": Fault(
        lambda answers: answers.account.parameters.update({"EfsFileSystemId": "", "EfsAccessPointId": ""}),
        "agent-source",
        "AgentImage=",
        silent=(*NO_STORAGE, "may-mount"),
    ),
    "agent image not pushed": Fault(
        lambda answers: setting("AgentImage", answers.account.parameters["AgentImage"].replace(":1", ":2"))(answers),
        "agent-image",
        "docker push",
        first=with_agent_image,
    ),
    "agent image for another processor": Fault(
        lambda answers: answers.account.push_agent_image("amd64"),
        "agent-image",
        "docker buildx",
        first=with_agent_image,
        given={"platform": Platform.ARM64},
    ),
    "agent of the other flavor": Fault(warned_container, "agent-flavor", "AgentFlavor="),
}
