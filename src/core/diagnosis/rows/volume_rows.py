"""Rows for volumes that Fargate could not mount or create.

Sources: ECS Developer Guide, "ResourceInitializationError" and "CannotCreateVolumeError"; EFS User Guide,
"Troubleshooting mount issues"; App Mesh User Guide, "Unable to connect to an Amazon EFS filesystem"; verbatim texts in
aws-cdk-examples #920, compose-cli #1490, appsmith-docs #2234, containers-roadmap #1425, amazon-ecs-plugin #334.

S3 Files runs on EFS's infrastructure, and EFS's mount helper mounts it. Only a name that does not resolve has other
words (efs-utils 3, `mount_s3files/dns_resolver.py`). The texts of `mount.nfs4` are the same and name neither service,
because the helper mounts 127.0.0.1 (`efs_utils_common/mount_utils.py`), so those rows speak of both. The words that
Fargate writes around the helper's are published for EFS only.
"""

from functools import partial
from typing import Final

from core.diagnosis.row import Actor, start_row
from core.model.failure import Cause

_efs = partial(start_row, cause=Cause.EFS_MOUNT_FAILED)

VOLUMES: Final = (
    _efs(
        pattern=r"failed to resolve \"?<s3files>|has an s3 ?files mount target",
        summary="The S3 Files file system's name does not resolve in the VPC",
        remedy="Create a mount target of the file system (`aws s3files create-mount-target`) in the Availability Zone "
        "of every task subnet, enable DNS hostnames and DNS resolution in the VPC, and check S3FilesFileSystemArn.",
    ),
    _efs(
        pattern=r"failed to resolve \"?<efs>|check that your file system id|has an \w+ mount target",
        summary="The EFS file system's name does not resolve in the VPC",
        remedy="Create a mount target of the file system in the Availability Zone of every task subnet, enable DNS "
        "hostnames and DNS resolution in the VPC, and check EfsFileSystemId.",
    ),
    _efs(
        pattern=r"reason given by server: no such file",
        summary="The directory to be mounted does not exist on the file system",
        remedy="Create the directory, or give the access point a root directory path with creation info (owner and "
        "mode) so that EFS creates it. With an access point the volume's own rootDirectory is left out.",
    ),
    _efs(
        pattern=r"access denied by server|mount\.\w+: (access denied|operation not permitted)",
        summary="EFS or S3 Files refused the mount",
        remedy="Allow elasticfilesystem:ClientMount (S3 Files: s3files:ClientMount) on the file system in the TASK "
        "role and in the file system's policy, through this access point; check that the access point exists and "
        "belongs to this file system.",
    ),
    _efs(
        pattern=r"mount\.\w+: connection timed out|mount attempt \S+ failed due to timeout",
        summary="The file system on EFS or S3 Files did not answer",
        remedy="Let TCP 2049 (NFS) into the security group of the mount targets from the task's security group, and "
        "out of the latter; check the network ACLs between the subnets.",
    ),
    _efs(
        pattern=r"mount\.\w+: connection refused",
        summary="Nothing listens at the file system's mount target",
        remedy="Check that the mount target is available; if a proxy such as App Mesh is configured, add port 2049 to "
        "its EgressIgnoredPorts.",
    ),
    _efs(
        pattern=r"mount\.\w+: connection reset",
        summary="The file system's mount target reset the connection, as it does while it is being created",
        remedy="Wait until the mount targets are `available`, then start the container again.",
        actor=Actor.AWS,
    ),
    _efs(
        pattern=r"efs utils|mount\.(nfs|efs|s3files)|(efs|s3 ?files) volume|elasticfilesystem|\bfsap-",
        summary="The file system on EFS or S3 Files could not be mounted",
        remedy="Check in this order: a mount target in the task's Availability Zone, TCP 2049 from the task's security "
        "group, DNS hostnames in the VPC, the access point, elasticfilesystem:ClientMount (S3 Files: "
        "s3files:ClientMount) for the task role.",
    ),
    start_row(
        pattern=r"contains VOLUME instruction",
        cause=Cause.TASK_DEFINITION,
        summary="The image declares a VOLUME, which this platform does not support",
        remedy="Build the image without the VOLUME instruction.",
        actor=Actor.USER,
    ),
    start_row(
        pattern=r"copy contents to volume",
        summary="Fargate could not fill a volume from the image",
        remedy="Start the container again. If it repeats, make the directories that the image declares as VOLUME "
        "smaller.",
        actor=Actor.AWS,
    ),
)
