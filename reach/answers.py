"""Answers that are not AWS's: of a login page, or of another server under AWS_ENDPOINT_URL."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError


class NotAws(BotoCoreError):
    """What the endpoint answers is no answer to the call."""

    fmt = "what answers at {endpoint} is not AWS"


class _Checked:
    """In front of botocore's class of a client."""

    meta: Any

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
        try:
            answer = super()._make_api_call(operation_name, api_params)  # type: ignore[misc]  # botocore's
        except BotoCoreError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError, ResponseParserError) as error:
            raise NotAws(endpoint=self.meta.endpoint_url) from error
        # Every answer of AWS has an id. JSON of another server leaves nothing that the call's model knows.
        if answer.keys() <= {"ResponseMetadata"} and not answer.get("ResponseMetadata", {}).get("RequestId"):
            raise NotAws(endpoint=self.meta.endpoint_url)
        return answer


def checked(base_classes: list[type], **_: Any) -> None:
    """For the event `creating-client-class`: calls of the client raise `NotAws`."""
    base_classes.insert(0, _Checked)
