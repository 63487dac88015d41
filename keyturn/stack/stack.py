"""The local stack: Redis, the credentials service, the nodes and the gateway."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Final

from keyturn.administrators.admin_watch import described, trouble_of_admin, watch_admin
from keyturn.local.data_directory import DataDirectory
from keyturn.local.environment import StackEnvironment, allowed_networks
from keyturn.local.errors import StackError
from keyturn.local.local_file import AdminLogin, LocalStack, RunningNode
from keyturn.local.ports import LOOPBACK, ReservedPort
from keyturn.local.secrets_file import StackSecrets, ignored_settings, load, load_or_make
from keyturn.local.terminal import Terminal
from keyturn.stack.child import Child, service_command
from keyturn.stack.gateway import gateway_configuration
from keyturn.stack.logs import keep_logs_short
from keyturn.stack.members import Members
from keyturn.stack.nginx import CONFIGURATION, connection_limit, find_nginx, nginx_command
from keyturn.stack.options import Options
from keyturn.stack.stack_redis import StackRedis, check_redis, embedded_redis
from keyturn.stack.supervisor import Supervisor
from keyturn_shared.clock import SystemClock
from keyturn_shared.private_files import write_private

NODE_GRACE_SECONDS: Final = 1.5
CREDENTIALS_GRACE_SECONDS: Final = 2.0
GATEWAY_GRACE_SECONDS: Final = 1.0
JOIN_SECONDS: Final = 5.0
"""Time a restarted node may take to join the fleet before ``local.json`` is written."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The running processes. ``redis`` is None when the stack does not run its own."""

    redis: StackRedis | None
    redis_url: str
    credentials: Child
    nodes: tuple[Child, ...]
    gateway: Child

    @property
    def services(self) -> tuple[Child, ...]:
        return (self.credentials, *self.nodes)

    @property
    def kept(self) -> tuple[Child | StackRedis, ...]:
        """The processes that are restarted when they end."""
        children = (*self.services, self.gateway)
        return children if self.redis is None else (self.redis, *children)

    @property
    def logs(self) -> tuple[Path, ...]:
        return tuple(process.log for process in self.kept)


class Stack:
    """One run of the stack, on a data directory that is locked for it."""

    def __init__(
        self,
        options: Options,
        directory: DataDirectory,
        lock: int,
        terminal: Terminal,
        inherited: Mapping[str, str],
    ) -> None:
        self._options = options
        self._directory = directory
        self._lock = lock
        self._terminal = terminal
        self._inherited = inherited
        self._base_url = f"http://{LOOPBACK}:{options.port}"
        self._database_url = options.database_url or f"sqlite+aiosqlite:///{directory.database}"

    async def run(self, listener: socket) -> None:
        """Start everything, keep it running, and stop it in order at the end, also after an error. Raises
        StackError when the stack cannot start."""
        async with contextlib.AsyncExitStack() as started:
            redis = await self._open_redis(started)
            secrets = self._load_secrets()
            processes = self._prepare(redis, secrets, started)
            started.push_async_callback(processes.credentials.stop, CREDENTIALS_GRACE_SECONDS)
            started.push_async_callback(_stop_all, processes.nodes, NODE_GRACE_SECONDS)
            started.push_async_callback(processes.gateway.stop, GATEWAY_GRACE_SECONDS)
            for child in processes.services:
                await child.start()
            listener.close()  # nginx takes over the port; its log shows if another process was faster
            await processes.gateway.start()

            members = await started.enter_async_context(Members(processes.redis_url))

            async def publish() -> LocalStack:
                local = await self._describe(processes, secrets, members)
                local.write(self._directory.local_file)
                return local

            supervisor = Supervisor(self._terminal, changed=publish)
            await supervisor.until_ready((*processes.services, processes.gateway))
            started.callback(self._directory.local_file.unlink, missing_ok=True)
            local = await publish()
            self._terminal.ready()
            async with asyncio.TaskGroup() as running:
                for process in processes.kept:
                    running.create_task(supervisor.keep(process), name=f"keep-{process.name}")
                running.create_task(keep_logs_short(processes.logs, self._terminal), name="cut-logs")
                running.create_task(self._welcome(local, secrets), name="welcome")

    async def _open_redis(self, started: contextlib.AsyncExitStack) -> StackRedis | None:
        if self._options.redis_url is None:
            return await started.enter_async_context(embedded_redis(self._directory.redis))
        await check_redis(self._options.redis_url)
        return None

    def _load_secrets(self) -> StackSecrets:
        secrets = load_or_make(
            self._directory.secrets_file, self._inherited, database=self._directory.database
        )
        for name in ignored_settings(secrets, self._inherited):
            self._terminal.trouble(
                f"{name} is ignored: {self._directory.secrets_file} contains the value in use"
            )
        return secrets

    def _prepare(
        self, redis: StackRedis | None, secrets: StackSecrets, started: contextlib.AsyncExitStack
    ) -> Processes:
        redis_url = self._options.redis_url or (redis.url if redis else "")
        environment = StackEnvironment(
            self._inherited, secrets.environment(), self._base_url, redis_url, self._database_url
        )

        def child(name: str, service: str, port: ReservedPort, settings: Mapping[str, str]) -> Child:
            log = self._directory.logs / f"{name}.log"
            command = service_command(service)
            return Child(name, command, port.base_url, settings, log=log, lock=self._lock)

        serving = started.enter_context(ReservedPort())
        credentials = child("credentials", "credentials", serving, environment.of_credentials(serving))
        nodes = []
        for number in range(1, self._options.nodes + 1):
            port = started.enter_context(ReservedPort())
            name = f"node-{number}"
            nodes.append(child(name, "verifier", port, environment.of_node(name, port, serving)))
        inner = started.enter_context(ReservedPort())
        gateway = self._gateway(inner, credentials, nodes)
        return Processes(redis, redis_url, credentials, tuple(nodes), gateway)

    def _gateway(self, inner: ReservedPort, credentials: Child, nodes: Sequence[Child]) -> Child:
        """Write the gateway's configuration and return its process, not yet started. Raises StackError if
        there is no nginx or the file cannot be written."""
        directory = self._directory.gateway
        configuration = gateway_configuration(
            f"{LOOPBACK}:{self._options.port}",
            f"{LOOPBACK}:{inner.number}",
            credentials.base_url,
            [node.base_url for node in nodes],
            connections=connection_limit(),
            certificate_header=self._inherited.get("KEYTURN_CLIENT_CERT_HEADER", ""),
        )
        try:
            write_private(directory / CONFIGURATION, configuration)
        except OSError as error:
            raise StackError(f"{directory} cannot be written to: {error.strerror or error}") from error
        command = nginx_command(find_nginx(), directory)
        log = self._directory.logs / "gateway.log"
        return Child("gateway", command, self._base_url, {}, log=log, lock=self._lock, watches=False)

    async def _describe(self, processes: Processes, secrets: StackSecrets, members: Members) -> LocalStack:
        with contextlib.suppress(StackError):
            secrets = load(self._directory.secrets_file)  # a recovery of the administrator has changed it
        ids = await members.ids([node.pid for node in processes.nodes], seconds=JOIN_SECONDS)
        pids = {"credentials": processes.credentials.pid, "gateway": processes.gateway.pid}
        if processes.redis is not None:
            pids["redis"] = processes.redis.pid
        return LocalStack(
            base_url=self._base_url,
            admin=AdminLogin("master", secrets.admin_id, secrets.admin_secret.reveal()),
            nodes=tuple(
                RunningNode(ids.get(node.pid, node.name), node.pid, node.base_url) for node in processes.nodes
            ),
            processes=pids,
            redis_url=processes.redis_url,
            database_url=self._database_url,
        )

    async def _welcome(self, local: LocalStack, secrets: StackSecrets) -> None:
        """Run the demo if requested, print the URLs, and watch the first admin. The demo's client lives as
        long as this."""
        async with contextlib.AsyncExitStack() as demo:
            if self._options.demo:
                await self._show_demo(local, demo)
            networks = allowed_networks(self._inherited)
            # Imported when everything else runs: making a link needs the credentials service's code.
            from keyturn.console_link import make_link

            trouble = None if secrets.made_now else await trouble_of_admin(self._directory)
            if trouble is not None:
                self._terminal.trouble(described(*trouble, self._directory.secrets_file))
            can_sign_in = trouble is None or not trouble[1].by_any_means
            link = make_link(local, secrets.encryption_keys, SystemClock()) if can_sign_in else None
            self._terminal.welcome(
                local,
                self._directory,
                console_link=link,
                networks=networks,
                show_secret=secrets.made_now,
            )
            await watch_admin(self._directory, self._terminal, trouble)

    async def _show_demo(self, local: LocalStack, demo: contextlib.AsyncExitStack) -> None:
        from keyturn.demo.process import demo_client
        from keyturn.demo.show import show

        try:
            client = await demo.enter_async_context(demo_client())
            await show(self._terminal.console, local, client)
        except StackError as error:
            self._terminal.failure(f"The demo failed: {error.detail}")


async def _stop_all(children: Iterable[Child], grace_seconds: float) -> None:
    await asyncio.gather(*(child.stop(grace_seconds) for child in children))
