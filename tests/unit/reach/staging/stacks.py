"""Parameters of a deployed stack, as CloudFormation shows them: what is not given is empty."""

from __future__ import annotations

from typing import Final

ROLE: Final = "arn:aws:iam::123456789012:role/tasks"
EXECUTION: Final = "arn:aws:iam::123456789012:role/execution"
GROUP: Final = "/sockerless/tasks"
BUCKET: Final = "agents"
SYSTEM: Final = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
STACK: Final = {
    "ClusterName": "default",
    "StartedByPrefix": "sockerless",
    "TaskSubnets": "subnet-00000001,subnet-00000002",
    "TaskSecurityGroups": "sg-00000001",
    "AssignPublicIp": "false",
    "ExecutionRoleArn": EXECUTION,
    "TaskRoleArn": ROLE,
    "TaskLogGroup": GROUP,
    "InjectionStrategy": "auto",
    "EfsFileSystemId": "",
    "S3FilesFileSystemArn": "",
    "AgentImage": "",
}
EFS: Final = {"EfsFileSystemId": "fs-0a1b2c3d", "EfsAccessPointId": "fsap-0a1b2c3d"}
S3_FILES: Final = {
    "S3FilesFileSystemArn": SYSTEM,
    "S3FilesAccessPointArn": f"{SYSTEM}/access-point/fsap-0123456789abcdef0",
}
