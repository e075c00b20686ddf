# Sourced before the command of every rule.
set -euo pipefail
export PYTHONUNBUFFERED=1

# logged FILE COMMAND: show what a command prints, keep it in FILE, and record beside it how it
# ended, why, and its peak of memory. How far it is, the command writes to FILE.progress; where lines
# of ours show that (NEUS_LINES), what it prints is kept and not shown.
logged() {
    local status=0
    export NEUS_PROGRESS="$1.progress"
    if [[ -n "${NEUS_LINES:-}" ]]; then
        python -m neus.watch "$@" >/dev/null 2>&1 || status=$?
    else
        python -m neus.watch "$@" || status=$?
    fi
    rm -f "$NEUS_PROGRESS"
    return "$status"
}
