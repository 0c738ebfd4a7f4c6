"""The containers table."""

from __future__ import annotations

from functools import partial

from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Given, Table
from reach.doctor.knowledge import Known, fact
from reach.doctor.reads import TABLE, TIME_TO_LIVE


def gather(aws: Aws, stack: Deployed, _: Given) -> Table:
    """Asks about the table that the stack's output names."""
    name = stack.outputs.get("ContainersTableName", "")
    return Table(
        table=fact(partial(aws.ask, TABLE, TableName=name)) if name else Known(None),
        time_to_live=fact(partial(aws.ask, TIME_TO_LIVE, TableName=name)) if name else Known(None),
    )
