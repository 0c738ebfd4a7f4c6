"""boto3 clients of the local cloud."""

from __future__ import annotations

from typing import Any

import boto3

from local.cloud.environment import CREDENTIALS, REGION


def aws_client(service: str, endpoint: str) -> Any:
    """A client that knows no AWS but the one at `endpoint`, whatever the caller's environment says."""
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]  # any service
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
