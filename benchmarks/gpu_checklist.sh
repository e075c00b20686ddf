#!/usr/bin/env bash
# All checks that need a GPU, in one call of at most 400 s, from the root of the repository:
#
#     benchmarks/gpu_checklist.sh FOLDER [SCENE]
#
# FOLDER gets logs, JSON and summary.md, and all of them once more in check.tgz, since few files may
# come back from a machine that is rented. SCENE is a canonical scene with masks to train on; without
# it a scan of DTU's size is made. Needs python3 with torch, triton and numpy; what else is missing
# (pytest, OpenCV, tiny-cuda-nn, nerfacc) is left out with a word. Each part has a time limit, and
# one that fails stops no other. Status 1 if any failed.
set -uo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: benchmarks/gpu_checklist.sh FOLDER [SCENE]" >&2
    exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 2
mkdir -p "$1" || exit 2
folder=$(cd "$1" && pwd) || exit 2
scene=${2:+$(realpath -- "$2")}
device=${DEVICE:-cuda}    # DEVICE=cpu and SMALL=1 try the script itself, without a GPU
python=${PYTHON:-python3}
cd "$root" || exit 2
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
: > "$folder/parts.tsv"
rm -f "$folder"/{accuracy,products,step_rate,stereo,train_scan,training_step,side_by_side}.json
failed=0

# part NAME LIMIT COMMAND...: run within LIMIT seconds, log to NAME.log, note how it ended.
part() {
    local name=$1 limit=$2 start=$SECONDS status ended
    shift 2
    echo "== $name (at most $limit s)"
    timeout --kill-after=5 "$limit" "$@" > "$folder/$name.log" 2>&1
    status=$?
    case $status in
        0) ended=passed ;;
        124 | 137) ended="out of time" ;;
        *) ended="failed ($status)" ;;
    esac
    printf '%s\t%s\t%s\n' "$name" "$ended" $((SECONDS - start)) >> "$folder/parts.tsv"
    tail -n 3 "$folder/$name.log"
    if [ $status -ne 0 ]; then failed=1; fi
}

common=(--device "$device" --output)
steps=() rate=() scan=(--seconds 60) beside=() layers=()
tests=(tests/ops/cuda/test_triton*.py tests/training/test_graph_gpu.py)
if [ -n "${SMALL:-}" ]; then
    steps=(--quick)
    rate=(--samples 2048 --log2-entries 12 --steps 10 --views 4 80 60)
    scan=(--samples 2048 --log2-entries 12 --steps 20 --views 9 40 30)
    beside=(--samples 2048 --rounds 1)
    layers=(--samples 2048 --rounds 1)
    tests+=(-k "strides or softplus_backward or adam or replay or capacity")
fi
if [ -n "$scene" ]; then scan+=(--scene "$scene"); fi

part accuracy 40 "$python" -m benchmarks.gpu.accuracy "${common[@]}" "$folder/accuracy.json"
if "$python" -c "import pytest, hypothesis" 2> /dev/null; then
    if "$python" -c "import xdist" 2> /dev/null; then tests+=(-n 8 -p no:benchmark); fi
    part tests 70 "$python" -m pytest -q -p no:cacheprovider "${tests[@]}"
else
    echo "pytest or hypothesis is missing: the tests of the kernels are left out"
fi
part products 30 "$python" -m benchmarks.gpu.products "${layers[@]}" "${common[@]}" "$folder/products.json"
if [ -n "$scene" ]; then
    part stereo 40 "$python" -m benchmarks.gpu.stereo --scene "$scene" "${common[@]}" "$folder/stereo.json"
fi
part step_rate 40 "$python" -m benchmarks.gpu.step_rate "${rate[@]}" "${common[@]}" "$folder/step_rate.json"
since=$SECONDS
part train_scan 110 "$python" -m benchmarks.gpu.train_scan "${scan[@]}" "${common[@]}" "$folder/train_scan.json"
left=$((110 - SECONDS + since))
if [ ! -f "$folder/train_scan.json" ] && [ $left -gt 50 ]; then  # a capture that fails does so soon
    part train_scan_plain $left "$python" -m benchmarks.gpu.train_scan "${scan[@]}" --plain --seconds $((left - 35)) "${common[@]}" "$folder/train_scan.json"
fi
part training_step 50 "$python" -m benchmarks.training_step "${steps[@]}" "${common[@]}" "$folder/training_step.json"
part side_by_side 20 "$python" -m benchmarks.gpu.side_by_side "${beside[@]}" "${common[@]}" "$folder/side_by_side.json"
"$python" -m benchmarks.gpu.summary "$folder" || failed=1
rm -f "$folder/check.tgz"
packed=$(mktemp) && tar -czf "$packed" -C "$folder" . && mv "$packed" "$folder/check.tgz" || failed=1
exit $failed
