"""Commands in processes of their own that have nothing to import any more: one process does it once, and forks for each.

Each command has its own environment, folder, standard streams, signals and end, as if it had been started from a shell;
importing dbt and DuckDB again and again takes longer than most of what the commands do.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn


def run_warm(words: Sequence[str], cwd: Path, environment: Mapping[str, str], text: str) -> tuple[int, str, str]:
    """Run `goldsmith` or `dbt` with arguments: its exit code, and what it wrote to both streams."""
    with (
        socket.socket(socket.AF_UNIX) as call,
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(text.encode())
        given.seek(0)
        call.settimeout(300)
        call.connect(_server()[0])
        wish = json.dumps({"words": list(words), "cwd": str(cwd), "environment": dict(environment)}).encode()
        socket.send_fds(call, [len(wish).to_bytes(4, "big")], [f.fileno() for f in (given, out, err)])
        call.sendall(wish)
        code = int(call.makefile().read())
        return code, _read(out), _read(err)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    # As text mode reads it.
    return file.read().decode().replace("\r\n", "\n")


@cache
def _server() -> tuple[str, subprocess.Popen[bytes]]:
    """A process that waits for commands at a socket; it ends with this one, which holds the other end of its input."""
    place = str(Path(tempfile.mkdtemp(prefix="warm")) / "socket")
    started = subprocess.Popen(
        [sys.executable, __file__, place],
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    return place, started


def _serve(place: str) -> None:
    """Fork for each call. Whoever calls hears the command's exit code from a process that does nothing but wait for it."""
    for module in ("dbt.cli.main", "generator.__main__", "generator.cli"):
        importlib.import_module(module)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while server in select.select([server, sys.stdin], [], [])[0]:
            call, _ = server.accept()
            with call:
                if not os.fork():
                    server.close()
                    _run(call)
    shutil.rmtree(Path(place).parent)


def _run(call: socket.socket) -> None:
    """In a fork: fork once more for the command, and wait."""
    head, files, _, _ = socket.recv_fds(call, 4, 3)
    wish = json.loads(call.makefile("rb").read(int.from_bytes(head, "big")))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command = os.fork()
    if command:
        _, status = os.waitpid(command, 0)
        call.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    call.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(wish["environment"])
    os.chdir(wish["cwd"])
    sys.argv = wish["words"]
    tempfile.tempdir = None
    _command(Path(sys.argv[0]).name)


def _command(name: str) -> NoReturn:
    """Run it to its end, without Python's own tidying up of all that is imported."""
    module, function = {"dbt": ("dbt.cli.main", "cli"), "goldsmith": ("generator.__main__", "main")}[name]
    code: object = 0
    try:
        getattr(sys.modules[module], function)()
    except SystemExit as end:
        code = end.code
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve(sys.argv[1])
