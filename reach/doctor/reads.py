"""Every call that a doctor makes to look: none of them changes anything. docs/reach.md has their actions."""

from __future__ import annotations

from typing import Final

from reach.doctor.asking import Read


def _read(service: str, operation: str, action: str, *absent: str) -> Read:
    return Read(service, operation, action, frozenset(absent))


IDENTITY: Final = _read("sts", "get_caller_identity", "sts:GetCallerIdentity")
STACKS: Final = _read("cloudformation", "describe_stacks", "cloudformation:DescribeStacks", "ValidationError")
RESOURCES: Final = _read("cloudformation", "list_stack_resources", "cloudformation:ListStackResources")

TABLE: Final = _read("dynamodb", "describe_table", "dynamodb:DescribeTable", "ResourceNotFoundException")
TIME_TO_LIVE: Final = _read(
    "dynamodb", "describe_time_to_live", "dynamodb:DescribeTimeToLive", "ResourceNotFoundException"
)

CLUSTERS: Final = _read("ecs", "describe_clusters", "ecs:DescribeClusters", "ClusterNotFoundException")
QUOTA: Final = _read("service-quotas", "get_service_quota", "servicequotas:GetServiceQuota", "NoSuchResourceException")
DEFAULT_QUOTA: Final = _read(
    "service-quotas", "get_aws_default_service_quota", "servicequotas:GetAWSDefaultServiceQuota"
)
LOG_GROUPS: Final = _read("logs", "describe_log_groups", "logs:DescribeLogGroups")

SUBNETS: Final = _read("ec2", "describe_subnets", "ec2:DescribeSubnets")
ROUTE_TABLES: Final = _read("ec2", "describe_route_tables", "ec2:DescribeRouteTables")
NAT_GATEWAYS: Final = _read("ec2", "describe_nat_gateways", "ec2:DescribeNatGateways")
ENDPOINTS: Final = _read("ec2", "describe_vpc_endpoints", "ec2:DescribeVpcEndpoints")
SECURITY_GROUPS: Final = _read("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups")
VPC_ATTRIBUTE: Final = _read("ec2", "describe_vpc_attribute", "ec2:DescribeVpcAttribute")

EFS_FILE_SYSTEMS: Final = _read(
    "efs", "describe_file_systems", "elasticfilesystem:DescribeFileSystems", "FileSystemNotFound"
)
EFS_POLICY: Final = _read(
    "efs",
    "describe_file_system_policy",
    "elasticfilesystem:DescribeFileSystemPolicy",
    "PolicyNotFound",
    "FileSystemNotFound",
)
EFS_MOUNT_TARGETS: Final = _read(
    "efs", "describe_mount_targets", "elasticfilesystem:DescribeMountTargets", "FileSystemNotFound"
)
EFS_MOUNT_TARGET_GROUPS: Final = _read(
    "efs",
    "describe_mount_target_security_groups",
    "elasticfilesystem:DescribeMountTargetSecurityGroups",
    "MountTargetNotFound",
)
EFS_ACCESS_POINTS: Final = _read(
    "efs", "describe_access_points", "elasticfilesystem:DescribeAccessPoints", "AccessPointNotFound"
)
S3_FILE_SYSTEM: Final = _read("s3files", "get_file_system", "s3files:GetFileSystem", "ResourceNotFoundException")
S3_ACCESS_POINT: Final = _read("s3files", "get_access_point", "s3files:GetAccessPoint", "ResourceNotFoundException")
S3_MOUNT_TARGETS: Final = _read(
    "s3files", "list_mount_targets", "s3files:ListMountTargets", "ResourceNotFoundException"
)
S3_MOUNT_TARGET: Final = _read("s3files", "get_mount_target", "s3files:GetMountTarget", "ResourceNotFoundException")
BUCKET_VERSIONING: Final = _read("s3", "get_bucket_versioning", "s3:GetBucketVersioning", "NoSuchBucket")
BUCKET_ENCRYPTION: Final = _read(
    "s3",
    "get_bucket_encryption",
    "s3:GetEncryptionConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucket",
)
BUCKET_OBJECTS: Final = _read("s3", "list_objects_v2", "s3:ListBucket", "NoSuchBucket")
BUCKET_OBJECT: Final = _read("s3", "get_object", "s3:GetObject", "NoSuchKey")

ROLE: Final = _read("iam", "get_role", "iam:GetRole", "NoSuchEntity")
SIMULATION: Final = _read("iam", "simulate_principal_policy", "iam:SimulatePrincipalPolicy", "NoSuchEntity")

RULE: Final = _read("events", "describe_rule", "events:DescribeRule", "ResourceNotFoundException")
TARGETS: Final = _read("events", "list_targets_by_rule", "events:ListTargetsByRule", "ResourceNotFoundException")
QUEUE: Final = _read(
    "sqs",
    "get_queue_attributes",
    "sqs:GetQueueAttributes",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
)
METRIC: Final = _read("cloudwatch", "get_metric_statistics", "cloudwatch:GetMetricStatistics")

FUNCTION: Final = _read(
    "lambda", "get_function_configuration", "lambda:GetFunctionConfiguration", "ResourceNotFoundException"
)
FUNCTION_CONCURRENCY: Final = _read(
    "lambda", "get_function_concurrency", "lambda:GetFunctionConcurrency", "ResourceNotFoundException"
)
FUNCTION_POLICY: Final = _read("lambda", "get_policy", "lambda:GetPolicy", "ResourceNotFoundException")
SOURCES: Final = _read("lambda", "list_event_source_mappings", "lambda:ListEventSourceMappings")
ACCOUNT_SETTINGS: Final = _read("lambda", "get_account_settings", "lambda:GetAccountSettings")
SCHEDULE: Final = _read("scheduler", "get_schedule", "scheduler:GetSchedule", "ResourceNotFoundException")

IMAGE: Final = _read("ecr", "batch_get_image", "ecr:BatchGetImage", "RepositoryNotFoundException")

READS: Final = tuple(one for one in tuple(globals().values()) if isinstance(one, Read))
CONTAINERS: Final = ("dynamodb:Scan", "dynamodb:BatchGetItem")
"""What the list of live containers needs (`core.client`)."""
ACTIONS: Final = tuple(sorted({*(one.action for one in READS), *CONTAINERS} - {IDENTITY.action}))
"""All that IAM has to allow. GetCallerIdentity needs no permission."""
