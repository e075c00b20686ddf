"""Runs a command to its end, its time limit or its failure, with a clock and an eye on memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neus.external.containers import SHELL, in_container
from neus.external.outcome import Outcome

KEPT, LONGEST_REASON = 16384, 240
"""Last bytes that are kept of what a program prints, and letters of a reason."""
LOOK_EVERY, GRACE = 0.25, 10.0
"""Seconds between two looks at memory, and those in which a program that is told to end may."""
Memory = Callable[[int], float | None]


@dataclass(frozen=True)
class Program:
    """A command of bash, and where it runs.

    Attributes:
        name: what tables call it.
        command: with the places ``{input}`` and so on filled in already.
        container: image to run it in, or None for this machine.
        read: folders that it reads; a container sees no others.
        output: folder that it writes to and starts in.
        environment: variables that it gets.
    """

    name: str
    command: str
    container: str | None
    read: list[Path]
    output: Path
    environment: Mapping[str, str]

    def words(self, *, has_card: bool) -> list[str] | None:
        """What is started; None where it wants a container, and there is no engine."""
        if self.container is None:
            return [*SHELL, self.command]
        return in_container(
            self.container,
            self.command,
            read=self.read,
            written=self.output,
            environment=self.environment,
            has_card=has_card,
        )


def run_program(
    program: Program,
    *,
    device: str,
    limit: float,
    card: str | None = None,
    show: Callable[[bytes], object] | None = None,
) -> Outcome:
    """Run a program. Whatever goes wrong with it is in the outcome; being stopped ourselves is not:
    then its processes are ended, and the exception goes on.

    Args:
        device: its name, for the outcome.
        limit: seconds after which it is ended.
        card: that it has, as ``nvidia-smi`` calls it.
        show: gets what it prints; our own output without it.
    """

    def outcome(seconds: float, memory: float | None, reason: str | None, status: int | None):
        told = reason and f"{program.name} {_short(reason)}"
        return Outcome(seconds, memory, device, told, program.command, status)

    words = program.words(has_card=card is not None)
    if words is None:
        reason = f"was not run: there is no engine for its container, {program.container}"
        return outcome(0.0, None, reason, None)
    program.output.mkdir(parents=True, exist_ok=True)
    memory = memory_of_processes if card is None else lambda _: memory_of_card(card)
    if card is None and words[0] in ("docker", "podman"):
        memory = nobody_knows  # its processes are a daemon's, not ours
    said, start = bytearray(), time.perf_counter()
    with _started(words, program) as process, _watched(process, memory) as peak:
        reader = threading.Thread(
            target=_read, args=(process, said, show or print_bytes), daemon=True
        )
        reader.start()
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.perf_counter() - start
        if status is None:
            return outcome(seconds, peak(), f"did not end within {limit / 60:g} minutes", None)
        reader.join(GRACE)
    reason = None if status == 0 else _reason(status, last_words(said))
    return outcome(seconds, peak(), reason, status)


@contextmanager
def _started(words: list[str], program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a session of its own, all of which is ended at the end."""
    process = subprocess.Popen(
        words,
        cwd=program.output,
        env={**os.environ, **program.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for told, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
            try:
                os.killpg(process.pid, told)
                process.wait(patience)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue


@contextmanager
def _watched(process: subprocess.Popen[bytes], memory: Memory) -> Iterator[Callable[[], float]]:
    """The highest memory so far, in GiB, looked at while the body runs."""
    seen: list[float] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            found = memory(process.pid)
            seen[:] = [max([*seen, found])] if found is not None else seen
            ended.wait(LOOK_EVERY)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield lambda: max(seen, default=None)  # pyright: ignore
    finally:
        ended.set()
        watcher.join(GRACE)


def memory_of_processes(session: int) -> float | None:
    """Resident memory of all processes of a session, GiB; what they share counts for each."""
    page, pages = os.sysconf("SC_PAGE_SIZE"), 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.getsid(int(name)) == session:
                pages += int(Path("/proc", name, "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it has ended meanwhile
    return pages * page / 2**30 or None


def memory_of_card(name: str) -> float | None:
    """What is in use on a card, GiB, by its driver; None without one."""
    if shutil.which("nvidia-smi") is None:
        return None
    words = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    done = subprocess.run([*words, "-i", name], capture_output=True, text=True, check=False)
    try:
        return float(done.stdout.strip()) / 1024
    except ValueError:
        return None


def nobody_knows(session: int) -> None:
    return None


def _read(
    process: subprocess.Popen[bytes], said: bytearray, show: Callable[[bytes], object]
) -> None:
    assert process.stdout is not None
    with process.stdout as pipe:
        while chunk := os.read(pipe.fileno(), KEPT):
            said += chunk
            del said[:-KEPT]
            show(chunk)


def print_bytes(text: bytes) -> None:
    try:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    except OSError:  # nobody listens any more; the program is to end well nevertheless
        return


def last_words(said: bytes | bytearray) -> str:
    """The last line that says something; of a bar that was drawn over itself, its last state."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "it said nothing")


def _reason(status: int, said: str) -> str:
    if status in (126, 127):
        return f"was not run: {said}"
    number = -status if status < 0 else status - 128
    if number == signal.SIGKILL:
        return f"was killed, as systems do for want of memory: {said}"
    if number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS, signal.SIGFPE):
        return f"crashed ({signal.Signals(number).name}): {said}"
    return f"failed (exit status {status}): {said}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1].rstrip() + "…"
