#!/usr/bin/env bash
# One scan through the programs of the chain on a card, from the root of the repository:
#
#     benchmarks/gpu_scan.sh FOLDER SCENE [STEPS]
#
# Stereo, training by neus-mask with the budget of a card, views, their figures and the mesh of
# SCENE, a canonical scene with masks. FOLDER gets what they write, seconds.tsv, and all logs and
# figures once more in scan.tgz, since few files may come back from a machine that is rented. Beside
# torch, triton, numpy and OpenCV it needs omegaconf, trimesh and PyMCubes. Stops at what fails.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: benchmarks/gpu_scan.sh FOLDER SCENE [STEPS]" >&2
    exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd) scene=$(realpath -- "$2") overrides='{}'
if [ $# -eq 3 ]; then overrides="{\"training\": {\"steps\": $3}}"; fi
device=${DEVICE:-cuda} budget=${BUDGET:-card} resolution=${RESOLUTION:-512}
python=${PYTHON:-python3}
cd "$root"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
: > "$folder/seconds.tsv"

packed() {
    local file
    file=$(mktemp)
    tar -czf "$file" -C "$folder" --exclude=scan.tgz --exclude='*.pt' --exclude='*.npz' \
        --exclude='*.ply' --exclude=run .
    mv "$file" "$folder/scan.tgz"
}
trap packed EXIT

# stage PROGRAM ARGUMENTS...: run it on the scene, log to PROGRAM.log, note its seconds.
stage() {
    local name=$1 start=$SECONDS
    shift
    "$python" "scripts/$name.py" --scene "$scene" "$@" > "$folder/$name.log" 2>&1 \
        || { tail -n 12 "$folder/$name.log" >&2; exit 1; }
    printf '%s\t%s\n' "$name" $((SECONDS - start)) | tee -a "$folder/seconds.tsv"
    tail -n 2 "$folder/$name.log"
}

on=(--device "$device" --threads "$(nproc)")
stage dense_stereo "${on[@]}" --output "$folder/stereo"
stage train "${on[@]}" --method config/methods/neus-mask.yaml --budget "config/budgets/$budget.yaml" \
    --overrides "$overrides" --stereo "$folder/stereo" --output "$folder/model.pt" \
    --config "$folder/config.yaml" --metrics "$folder/train.json" --run-dir "$folder/run"
stage render_views "${on[@]}" --model "$folder/model.pt" --output "$folder/views"
stage evaluate_views --views "$folder/views" --config "$folder/config.yaml" --output "$folder/views.json"
stage extract_mesh "${on[@]}" --model "$folder/model.pt" --resolution "$resolution" --output "$folder/mesh.ply"
head -n 10 "$folder/views.json"
