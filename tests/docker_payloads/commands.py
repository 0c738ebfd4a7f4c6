"""The command lines that are recorded: what people and their tools type, one member of the API after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


def lines(name: str) -> list[str]:
    """The command lines of a file beside this one."""
    text = re.sub(r"\s*\\\n\s*(?=\.)", "", (HERE / f"{name}.txt").read_text())
    text = re.sub(r"\s*\\\n\s*", " ", text)
    return [line for line in text.splitlines() if line and not line.startswith("#")]


FILES: Final = {
    "app.env": "# a comment\nAPP_ENV=staging\nQUOTED='kept'\nEMPTY=\nFROM_THE_SHELL\n",
    "app.labels": "com.example.team=shop\ncom.example.flag\n",
    "seccomp.json": '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n',
}

"""In the directory that the clients run in."""

VARIABLES: Final = {"FROM_THE_SHELL": "yes"}
"""In the shell that the clients run in."""

COMPOSE: Final = {
    "docker compose create": """\
services:
  app:
    image: alpine
""",
    "docker compose up --detach": """\
services:
  app:
    image: node:22
    command: npm start
    working_dir: /app
    environment: {APP_ENV: test, EMPTY: "", FROM_THE_SHELL: null, NOT_IN_THE_SHELL: null}
    ports: ["8080:80", "127.0.0.1::9090/udp"]
    volumes: ["./src:/app:ro", "data:/data"]
volumes:
  data:
""",
    "docker compose --file full.yaml create": """\
services:
  app:
    image: nginx:1.27
    container_name: web
    hostname: shop
    platform: linux/arm64
    entrypoint: ["/entrypoint.sh"]
    command: ["nginx", "-g", "daemon off;"]
    user: "1000:1000"
    labels: {com.example.team: shop}
    init: true
    read_only: true
    tmpfs: /scratch:size=64m
    cap_add: [SYS_PTRACE]
    cap_drop: [ALL]
    security_opt: [no-new-privileges:true]
    extra_hosts: ["host.docker.internal:host-gateway"]
    dns: 10.0.0.2
    expose: ["9090"]
    restart: unless-stopped
    stop_signal: SIGQUIT
    stop_grace_period: 45s
    shm_size: 1gb
    ulimits: {nofile: {soft: 1024, hard: 4096}, nproc: 512}
    logging: {driver: awslogs, options: {awslogs-group: shop}}
    healthcheck: {test: curl --fail http://localhost/, interval: 5s, timeout: 3s, retries: 4, start_period: 10s}
    deploy: {resources: {limits: {cpus: "0.5", memory: 512M, pids: 100}, reservations: {memory: 256M}}}
    networks: {default: {aliases: [db], ipv4_address: 172.30.0.10}}
networks:
  default: {ipam: {config: [{subnet: 172.30.0.0/24}]}}
""",
    "docker compose --file host.yaml create": """\
services:
  app:
    image: alpine
    network_mode: host
    pid: host
    privileged: true
    stdin_open: true
    tty: true
    entrypoint: ""
    command: sleep infinity
    healthcheck: {disable: true}
    mem_limit: 512m
    cpus: 1.5
""",
    "docker compose --file run.yaml run --rm --no-TTY --env CI=true app npm test": """\
services:
  app:
    image: node:22
    command: npm start
    ports: ["8080:80"]
""",
}
"""Command lines of Docker Compose, each with its file."""
