# Sourced before the command of every rule.
set -euo pipefail
export PYTHONUNBUFFERED=1

# logged FILE COMMAND: show what a command prints, keep it in FILE, and record beside it how it
# ended, why, and its peak of memory.
logged() {
    python -m neus.watch "$@"
}
