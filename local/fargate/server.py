"""The HTTP server: the ECS API at `POST /`, and the requests of tests and the demo under `/_local`."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
from aiohttp import web
from botocore.config import Config

from local.fargate.api import wire
from local.fargate.api.control_plane import ControlPlane
from local.fargate.api.errors import AwsError
from local.fargate.api.naming import Names
from local.fargate.api.rates import Rates
from local.fargate.bus import EventBus
from local.fargate.choice import runtime_of
from local.fargate.delivery import Deliveries
from local.fargate.faults import BadFault, Faults, parse
from local.fargate.life import Life, World
from local.fargate.pace import FAST, Pace
from local.fargate.resources import Clients, Resources
from local.fargate.runtime import RuntimeName

log: Final = logging.getLogger("local.fargate")
_LARGEST_REQUEST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a server. Without `aws_endpoint` events are only recorded and secrets are refused."""

    state_dir: Path
    aws_endpoint: str | None = None
    region: str = "us-east-1"
    account: str = "000000000000"
    clusters: tuple[str, ...] = ("default",)
    speed: float = FAST
    seed: int | None = None
    runtime: RuntimeName = RuntimeName.PROCESS
    rates: Rates | None = None
    """How many calls a second the API takes; None: any number."""


def build_app(options: Options) -> web.Application:
    """The application; its clean-up ends every task. Nothing is bound or started before it runs."""
    names = Names(options.region, options.account)
    faults = Faults()
    clients = None if options.aws_endpoint is None else _clients(options.aws_endpoint, options.region)
    deliveries = Deliveries(names, faults, None if clients is None else EventBus(clients))
    runtime = runtime_of(options.runtime, Resources(options.state_dir, options.region, clients))
    world = World(runtime, Pace(options.speed, options.seed), deliveries.emit)
    plane = ControlPlane(names, options.clusters, faults, world, options.rates)
    server = _Server(plane, deliveries, faults)
    app = web.Application(client_max_size=_LARGEST_REQUEST)
    app.add_routes(server.routes())

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        await runtime.open()
        yield
        await deliveries.close()
        await plane.close()

    app.cleanup_ctx.append(lifetime)
    return app


def _clients(endpoint: str, region: str) -> Clients:
    # The bus retries; retries of the client would multiply with its.
    quiet = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=3, read_timeout=20)
    core = botocore.session.Session()
    core.set_default_client_config(quiet)
    session = boto3.Session(
        botocore_session=core,
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        region_name=region,
    )
    return partial(session.client, endpoint_url=endpoint)


class _Server:
    """The handlers."""

    def __init__(self, plane: ControlPlane, deliveries: Deliveries, faults: Faults) -> None:
        self._plane = plane
        self._deliveries = deliveries
        self._faults = faults
        self._calls: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/", self.api),
            web.get("/_local/health", self.health),
            web.get("/_local/calls", self.calls),
            web.delete("/_local/calls", self.forget_calls),
            web.get("/_local/events", self.events),
            web.get("/_local/tasks", self.tasks),
            web.post("/_local/tasks/{task}/kill", self.kill),
            web.post("/_local/tasks/{task}/interrupt", self.interrupt),
            web.get("/_local/faults", self.faults),
            web.post("/_local/faults", self.add_fault),
            web.delete("/_local/faults", self.clear_faults),
        ]

    async def api(self, request: web.Request) -> web.Response:
        """One operation of the ECS API. The log names it and its outcome, never its parameters."""
        begun = time.perf_counter()
        operation, status = "?", 200
        try:
            operation = wire.operation_of(request.headers.get("X-Amz-Target", ""))
            self._calls[operation] += 1
            parameters = wire.read_request(operation, await request.read())
            answer, outcome = self._plane.answer(operation, parameters), "ok"
        except AwsError as exc:
            answer, outcome, status = exc.body(), exc.code, exc.status
        log.info("%s %d %s %.0fms", operation, status, outcome, (time.perf_counter() - begun) * 1000)
        return web.Response(body=wire.write_answer(answer), status=status, content_type=wire.CONTENT_TYPE)

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def calls(self, _: web.Request) -> web.Response:
        """How often each operation was called, refused calls too."""
        return web.json_response(dict(self._calls))

    async def forget_calls(self, _: web.Request) -> web.Response:
        self._calls.clear()
        return web.json_response({})

    async def events(self, request: web.Request) -> web.Response:
        """The deliveries, with `?task=` those of one task (id or ARN)."""
        task = request.query.get("task")
        return web.json_response({"deliveries": self._deliveries.documents(task and task.rpartition("/")[2])})

    async def tasks(self, _: web.Request) -> web.Response:
        """A line about each task that can still be described."""
        return web.json_response({"tasks": [_summary(life) for life in self._plane.lives()]})

    async def kill(self, request: web.Request) -> web.Response:
        if not self._life(request).kill():
            raise web.HTTPConflict(text="no essential container of the task is running")
        return web.json_response({})

    async def interrupt(self, request: web.Request) -> web.Response:
        self._life(request).interrupt()
        return web.json_response({})

    async def faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": self._faults.documents()})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Adds a fault; a wrong request is refused with 400 and the reason."""
        try:
            fault = parse(await request.json())
        except (BadFault, ValueError) as exc:
            raise web.HTTPBadRequest(text=str(exc)) from exc
        self._faults.add(fault)
        log.info("fault %s asked for", fault.name)
        return web.json_response(fault.document(), status=201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    def _life(self, request: web.Request) -> Life:
        life = self._plane.life(request.match_info["task"])
        if life is None:
            raise web.HTTPNotFound(text="no such task")
        return life


def _summary(life: Life) -> dict[str, Any]:
    task = life.task
    return {
        "id": task.id,
        "arn": task.arn,
        "started_by": task.started_by,
        "last_status": task.last_status,
        "desired_status": task.desired_status,
        "version": task.version,
        "address": task.interface.address,
        "pids": life.pids(),
        "stop_code": task.stop_code,
        "stopped_reason": task.stopped_reason,
    }
