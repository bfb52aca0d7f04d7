#!/usr/bin/env bash
# Run every script of this folder on a folder of cohorts: validation/all.sh PYTHON COHORTS [ORACLE]
# CELLS and WHEELS in the environment: folders of single cells, and of the packages of tests/cells/wheels.lock.
# What a script needs and does not find is skipped, with a word. Fails where a script failed, after all have run.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1 cohorts=${2:-} oracle=${3:-}
failed=()

run() {
    echo
    echo "== $*"
    "$python" "$@" || failed+=("$1")
}

skip() {
    echo
    echo "== $1: $2; skipped"
}

cohort_scripts=(intervals response demo_contrast references)
for script in phenotype mhc_loss percell truth; do
    [[ -f validation/$script.py ]] && cohort_scripts+=("$script")
done
run validation/demo_contrast.py
run validation/call_errors.py
if [[ -d $cohorts ]]; then
    for script in "${cohort_scripts[@]}"; do
        run "validation/$script.py" --cohorts "$cohorts"
    done
else
    for script in "${cohort_scripts[@]}"; do
        skip "validation/$script.py" "no folder of cohorts: make validate COHORTS=DIR"
    done
fi
whole=${cohorts:-.}/vanallen2015/expression.parquet
if [[ -f $whole ]]; then
    run validation/single_sample.py --matrix "$whole" --units tpm
else
    run validation/single_sample.py --matrix resources/demo/expression.parquet --units counts
fi
cells=${CELLS:-} wheels=${WHEELS:-build/wheels}
for script in cells_labels cells_presentation cells_states; do
    if [[ -f $cells/wu2021_CID4465.h5ad && -d $wheels ]]; then
        run "validation/$script.py" --cells "$cells" --wheels "$wheels"
    else
        skip "validation/$script.py" "no folder of cells, or of wheels: make validate CELLS=DIR WHEELS=DIR"
    fi
done
if [[ -n $oracle && -d $oracle ]]; then
    run validation/compare_oracle.py --oracle "$oracle" --cohorts "$cohorts"
else
    skip validation/compare_oracle.py "needs the program that the design was first measured with"
fi
if ((${#failed[@]})); then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
