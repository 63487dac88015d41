"""``keyturn up``: reports obstacles first, then runs the stack until a signal."""

import asyncio
import contextlib
import os
import signal
from dataclasses import replace
from socket import socket
from typing import Final

from keyturn.known_variables import unknown_variables
from keyturn.local import local_file
from keyturn.local.data_directory import DataDirectory
from keyturn.local.errors import StackError
from keyturn.local.ports import listen
from keyturn.local.terminal import Terminal
from keyturn.refusing import refuse
from keyturn.stack.options import DEFAULT_PORT, Options
from keyturn.stack.stack import Stack
from keyturn_shared.errors import KeyturnError
from keyturn_shared.setting_problems import raise_all

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: Options) -> int:
    """Run the stack until a signal ends it. Return the exit code. A refusal is one line on standard error."""
    os.umask(0o077)  # files of the processes are for their owner only
    directory = DataDirectory(options.data_dir)
    try:
        raise_all(unknown_variables(os.environ))
        directory.prepare()
        port = options.port or directory.port or DEFAULT_PORT
        options = replace(options, port=port)
        with directory.lock() as lock, contextlib.closing(_claim(directory, port)) as listener:
            directory.keep_port(port)
            terminal = Terminal()
            stack = Stack(options, directory, lock, terminal, os.environ)
            asyncio.run(_run_until_signalled(stack, listener, terminal))
    except KeyturnError as error:
        return refuse(error.detail)
    return 0


def _claim(directory: DataDirectory, port: int) -> socket:
    """Open the base URL's socket, once nothing is in the way; only then remove the file of a killed stack."""
    local_file.read(directory.local_file)
    listener = listen(port)
    try:
        directory.local_file.unlink(missing_ok=True)
    except OSError as error:
        listener.close()
        raise StackError(f"{directory.local_file} cannot be removed: {error.strerror}") from error
    return listener


async def _run_until_signalled(stack: Stack, listener: socket, terminal: Terminal) -> None:
    told_to_stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    running = asyncio.create_task(stack.run(listener), name="stack")
    stopping = asyncio.create_task(told_to_stop.wait(), name="signals")
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    if told_to_stop.is_set():
        terminal.say("\nStopping.", "dim")
    running.cancel()
    stopping.cancel()
    outcome, _ = await asyncio.gather(running, stopping, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
