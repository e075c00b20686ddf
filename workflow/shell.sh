# Sourced before the command of every rule.
set -euo pipefail
export PYTHONUNBUFFERED=1

# logged FILE COMMAND: show what a command prints, and keep it in FILE. Ctrl-C and a cluster's time
# limit reach every process of a job; tee outlives them, so that training can save and say so.
logged() {
    "${@:2}" 2>&1 | (trap '' INT TERM; tee "$1")
}
