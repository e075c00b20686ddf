# Under a scheduler: what jobs ask for is checked before the first is sent, and what ended badly is
# said at the end, where the program itself could not.
import subprocess
import time

STARTED = time.time()


def slurm_logs():
    """The folder of Slurm's own logs of jobs; None where there is no Slurm."""
    if not sends_to_slurm():
        return None
    return Path(workflow.executor_settings.logdir or ".snakemake/slurm_logs")


def sends_to_slurm():
    return workflow.executor_plugin is not None and workflow.executor_plugin.name == "slurm"


def asked_of_slurm(job):
    """What a job asks for; None of one that runs here, and where Slurm chooses the partition."""
    resources = job.resources
    if job.is_local or not resources.get("slurm_partition"):
        return None
    known = {key: value for key, value in resources.items() if isinstance(value, int)}
    cores = known.get("cpus_per_task") or known.get("cpus_per_gpu") or job.threads
    partition, cards = str(resources.slurm_partition), known.get("gpu", 0)
    return Asked(job.rule.name, partition, known.get("runtime"), known.get("mem_mb"), cores, cards)


def check_slurm():
    """Refuse what Slurm would let wait for ever."""
    told = subprocess.run(QUESTION, capture_output=True, text=True)
    partitions = read_partitions(told.stdout)
    if told.returncode != 0 or not partitions:
        warn(f"sinfo tells no partitions, so that they are not checked: {told.stderr.strip()}")
        return
    check_partitions({asked_of_slurm(job) for job in workflow.dag.needrun_jobs()} - {None}, partitions)


def check_cluster():
    """End with one sentence where no partition allows what a job asks for."""
    if sends_to_slurm():
        try:
            check_slurm()
        except InputError as error:
            sys.exit(f"error: {error}")
