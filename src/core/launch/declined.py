"""Members of a start request that are declared only to be refused, each with its reason.

A backend that asks for one learns why there is none, in the refusal and in the JSON Schema. An absent member asks for
nothing, and neither does false.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Declined:
    """A field's metadata: every value but false is refused with this reason, which ends with what to do instead."""

    reason: str

    def check(self, value: Any) -> Literal[False]:
        """Returns False. Raises `PydanticCustomError` for any other value."""
        if value is not False:
            raise PydanticCustomError("declined", "is refused: {reason}", {"reason": self.reason})
        return False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"const": False, "description": f"Refused unless false: {self.reason}."}


Init = Annotated[
    Literal[False],
    Declined(
        "ECS's init process (initProcessEnabled) would start although the agent cannot, and hide "
        "CannotStartContainerError behind an exit code 127; put an init of the image into the command (tini --)"
    ),
]
HealthCheck = Annotated[
    Literal[False],
    # ecs.md 7
    Declined(
        "ECS would run it and report to DescribeTasks alone: no event has its result, and a task outside a service "
        "goes on whatever it is. Here the health of the agent counts; run the check through exec"
    ),
]
