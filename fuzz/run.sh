#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]   fuzzes each target (default: all, one after the other) for SECONDS. Inputs that are new to a target are kept in
# corpus/TARGET, those that make it fail in artifacts/TARGET; the exit status is 1 if there are any.
set -uo pipefail
cd "$(dirname "$0")"
time=${1:?}
shift
fuzzer=${FUZZER:-$(./build.sh)} || exit 1
python3 seeds.py || exit 1
targets=("$@")
((${#targets[@]})) || targets=(config architecture journal snapshot messages idx cifar10 npy tar safetensors table)
failed=0
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  echo "== $target, $time s"
  FUZZ_TARGET=$target "$fuzzer" "corpus/$target" "seeds/$target" -max_total_time="$time" -timeout=20 -rss_limit_mb=2048 -max_len=16384 \
    -use_value_profile=1 -print_final_stats=1 -artifact_prefix="artifacts/$target/" 2>"artifacts/$target.log"
  status=$?
  grep -E '^stat::(number_of_executed_units|peak_rss_mb)|ERROR|panicked|SUMMARY' "artifacts/$target.log"
  ((status == 0)) || { failed=1; echo "$target FAILED (status $status): see fuzz/artifacts/$target.log"; }
done
exit $failed
