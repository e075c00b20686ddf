"""Programs that start at once: each is forked from a process that has loaded what all import.

Loading torch, numba, Snakemake and their kind takes most of the seconds of a program that has
little to do. Here a command hands its words, folder, environment and streams over to a server, one
for each process of the tests; it forks, and the command ends as the fork does.
tests/workflow/test_end_to_end.py starts Snakemake and the programs as a user's machine does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import traceback
import venv
from functools import cache
from pathlib import Path

import numpy as np
import torch

from neus.metrics.nearest import nearest_distances
from tests.helpers.places import ROOT
from tests.helpers.trainings import new_trainer, small_method

LOADED_LATER = (
    *("torch.utils.tensorboard", "neus.ops.cpu", "neus.pipeline", "neus.watch", "snakemake.api"),
    *("av", "fast_simplification", "jsonschema", "smart_open"),
)
CLIENT = """
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
words = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(words).to_bytes(4, "big")], [0, 1, 2])
server.sendall(words)
sys.exit(int(server.recv(8)))
"""


@cache
def warm_python() -> tuple[str, ...]:
    """Words that stand for ``python`` in a command, before a script's path or ``-m`` and a name."""
    folder = Path(tempfile.mkdtemp(prefix="neus-tests-"))
    address = str(folder / "server")
    command = [sys.executable, "-u", "-m", __name__, address]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    (folder / "client.py").write_text(CLIENT)
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.communicate)  # closes its input, at which it ends
    return (sys.executable, "-ISE", str(folder / "client.py"), address)


def warm_environment(folder: Path) -> Path:
    """Make an environment whose rules find the server under the name of ``python``.

    Returns:
        The Python to run Snakemake with.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    names = [*site.getsitepackages(), str(ROOT)]
    lines = [f"import site; site.addsitedir({name!r})\n" for name in names]
    (packages / "shared.pth").write_text("".join(lines))
    python = folder / "bin" / "python"
    python.unlink()
    python.write_text(f'#!/bin/sh\nexec {shlex.join(warm_python())} "$@"\n')
    python.chmod(0o755)
    return folder / "bin" / "python3"


def serve(address: str) -> socket.socket:
    """Fork for whoever asks, until the input ends; in a fork, return the connection."""
    _load()
    running: dict[int, socket.socket] = {}
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    print("ready")
    while True:
        ready = select.select([server, sys.stdin], [], [], 0.02 if running else None)[0]
        if sys.stdin in ready:
            sys.exit()
        if server in ready:
            client = server.accept()[0]
            child = os.fork()
            if child == 0:
                server.close()
                return client
            running[child] = client
        child, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        if child:
            with running.pop(child) as client:
                client.sendall(str(os.waitstatus_to_exitcode(status) & 0xFF).encode())


def _load() -> None:
    for program in sorted((ROOT / "scripts").glob("*.py")):
        runpy.run_path(str(program))  # as a module: its imports and no more
    for name in LOADED_LATER:
        importlib.import_module(name)
    importlib.import_module("snakemake.cli").get_argument_parser()  # loads the plugins
    _compute_once()
    gc.freeze()  # else the first collection of every fork would copy all pages


def _compute_once() -> None:
    """Numba then has its registries, and the forks have what it keeps in no file, or read from it.

    On one thread: a fork has none of the others, and the operators would wait for them.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    new_trainer(small_method()).train_step()
    torch.set_num_threads(threads)
    nearest_distances(np.zeros((1, 3)), np.zeros((1, 3)), 1.0)


def run_as_asked(client: socket.socket) -> None:
    """Become the program that a client names, with its words, streams, folder and environment."""
    length, streams, *_ = socket.recv_fds(client, 4, 3)
    with client, client.makefile("rb") as file:
        words, folder, environment = json.loads(file.read(int.from_bytes(length, "big")))
    for own, stream in enumerate(streams):
        os.dup2(stream, own)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    status = 1
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], folder
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = words, str(Path(words[0]).parent)
            runpy.run_path(words[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)  # taking all that was loaded down again would cost a second


if __name__ == "__main__":
    run_as_asked(serve(sys.argv[1]))
