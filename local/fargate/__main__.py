"""`python -m local.fargate`: runs the local Fargate until SIGTERM or SIGINT, then ends every task and exits with 0."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from local.fargate.api.rates import Rates
from local.fargate.choice import settled
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName
from local.fargate.server import Options, build_app


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.fargate", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--aws-endpoint", help="where EventBridge, Lambda, SSM and Secrets Manager answer")
    parser.add_argument("--state-dir", type=Path, required=True, help="holds efs/, images/, logs/ and tasks/")
    parser.add_argument("--speed", type=parse_speed, default="fast", help="fast, real, or a factor (1 is real)")
    parser.add_argument("--seed", type=int, help="makes the phase durations repeatable")
    parser.add_argument("--throttle", action="store_true", help="take no more calls a second than AWS does")
    parser.add_argument(
        "--runtime",
        type=RuntimeName,
        choices=list(RuntimeName),
        default=RuntimeName.PROCESS,
        help="what containers are: processes of this machine, containers of Docker, or (auto) of Docker where an "
        "engine answers and has the base image (default: %(default)s)",
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--account", default="000000000000")
    parser.add_argument("--cluster", action="append", help="a cluster that exists (repeatable; default: default)")
    return parser.parse_args(arguments)


async def serve(arguments: argparse.Namespace) -> None:
    options = Options(
        state_dir=arguments.state_dir.resolve(),
        aws_endpoint=arguments.aws_endpoint,
        region=arguments.region,
        account=arguments.account,
        clusters=tuple(arguments.cluster or ("default",)),
        speed=arguments.speed,
        seed=arguments.seed,
        runtime=await settled(arguments.runtime),
        rates=Rates(time.monotonic) if arguments.throttle else None,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(build_app(options), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, arguments.host, arguments.port).start()
        logging.getLogger("local.fargate").info(
            "listening on http://%s:%d, containers are of %s", arguments.host, arguments.port, options.runtime
        )
        await stop.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s fargate %(message)s")
    asyncio.run(serve(arguments))


if __name__ == "__main__":
    main()
