"""A real Slurm of one node on loopback, with two cards that are none, for a test's time.

Its programs look for their configuration in /etc/slurm alone: jobs are sent without SLURM_CONF.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SYSTEM = Path("/etc/slurm")
MARK = "# neus: a Slurm for tests\n"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")
CARDS = 2

# Jobs are ended for memory by slurmd itself, which looks at them once a second: cgroups are not
# to be had in a container. config_overrides: the node is what this file says, not what it has.
# Partitions' limits are not enforced at submission, as is Slurm's default.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.socket
SlurmctldPort=6817
SlurmdPort=6818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=task=1
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=600
JobRequeue=1
InactiveLimit=0
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 NodeHostname={host} CPUs=4 Sockets=1 CoresPerSocket=4 \
ThreadsPerCore=1 RealMemory=20000 Gres=gpu:{cards} State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=60 State=UP
PartitionName=gpu Nodes={host} MaxTime=120 State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here, or None."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} missing: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "a Slurm for tests is started by root alone, in a container of its own"
    file = SYSTEM / "slurm.conf"
    if file.exists() and not file.read_text().startswith(MARK):
        return f"{file} is of another Slurm: this machine belongs to a cluster"
    return None


@contextlib.contextmanager
def one_node_slurm(folder: Path) -> Iterator[None]:
    """A Slurm that keeps its state in ``folder``, with partitions cpu and gpu; gone at the end."""
    reason = missing()
    if reason is not None:
        pytest.fail(reason)
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(parents=True)
    cards = [folder / f"nvidia{i}" for i in range(CARDS)]
    for card in cards:  # Slurm refuses plain files: a second name of /dev/null
        subprocess.run(["mknod", str(card), "c", "1", "3"], check=True)
    SYSTEM.mkdir(exist_ok=True)
    texts = {
        "slurm.conf": CONFIGURATION.format(host=host, folder=folder, cards=CARDS),
        "gres.conf": f"NodeName={host} Name=gpu File={folder}/nvidia[0-{CARDS - 1}]\n",
        "cgroup.conf": "",
    }
    files = [SYSTEM / name for name in texts]
    with contextlib.ExitStack() as at_end:
        for file, text in zip(files, texts.values(), strict=True):
            file.write_text(MARK + text)
            at_end.callback(file.unlink, missing_ok=True)
        started = [
            (_munged(folder / "munge"), folder / "munge" / "munged.pid"),
            (["slurmctld", "-c"], folder / "slurmctld.pid"),
            (["slurmd", "-c", "-N", host], folder / "slurmd.pid"),
        ]
        for command, pid in started:
            at_end.callback(_stop, pid)
            subprocess.run(command, check=True, timeout=60)
        _wait_until_idle(folder)
        at_end.callback(_cancel_all)
        yield


def _munged(folder: Path) -> list[str]:
    """Munge keeps its key and speaks for its own user alone; folders above must let it through."""
    user = pwd.getpwnam("munge")
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for path in (folder, key):
        os.chown(path, user.pw_uid, user.pw_gid)
    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
    files |= {"log-file": "munged.log", "seed-file": "munged.seed"}
    words = [f"--{key}={folder / name}" for key, name in files.items()]
    as_user = ["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups"]
    return [*as_user, "munged", "--force", *words]


def _cancel_all() -> None:
    """End what is still running, which would outlive its daemon."""
    subprocess.run(["scancel", "--user", str(os.geteuid())], check=False)
    for _ in range(100):
        told = subprocess.run(["squeue", "--noheader"], capture_output=True, text=True)
        if not told.stdout.strip():
            return
        time.sleep(0.1)


def _stop(file: Path) -> None:
    """End the daemon that wrote its process into ``file``; later calls of it wait for nothing."""
    with contextlib.suppress(OSError, ValueError):
        process = int(file.read_text())
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.1)
        os.kill(process, signal.SIGKILL)


def _wait_until_idle(folder: Path) -> None:
    state = ""
    for _ in range(60):
        told = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True)
        state = (told.stdout + told.stderr).strip()
        if set(state.split()) == {"idle"}:
            return
        time.sleep(0.5)
    logs = [(folder / name).read_text() for name in ("slurmctld.log", "slurmd.log")]
    pytest.fail(f"Slurm's node is not idle but {state}:\n" + "\n".join(logs))
