#!/usr/bin/env bash
# Checks of the whole library that need builds or tools of their own. A tool that is missing is a failure, not a skip.
#
#   tests/release/checks.sh compilers    one set of bits a numerics class: GCC and clang, -O1 -O2 -O3, every SIMD target
#   tests/release/checks.sh tsan         no race in executor, sessions, training and checkpoints; a planted one is found
#   tests/release/checks.sh sanitizers   the everyday tests under address and undefined-behaviour sanitizers
#   tests/release/checks.sh valgrind     each command of the tool, and the tests of sessions and models, under memcheck
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
builds=$root/build
jobs=${JOBS:-$(nproc)}

say() { printf 'checks: %s\n' "$*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
need() { command -v "$1" >/dev/null || fail "no $1: install $2"; }

configure() { cmake -S "$root" -G Ninja "$@" >/dev/null || fail "cmake could not configure"; }

# ---- One set of bits ------------------------------------------------------------------------------------------------

check_compilers() {
  need g++ g++
  need clang++ clang
  local hashes=$builds/compilers/hashes.txt compiler level directory flags
  mkdir -p "$builds/compilers"
  : >"$hashes"
  for compiler in g++ clang++; do
    for level in 1 2 3; do
      directory=$builds/compilers/$compiler-O$level
      flags=-O$level
      # GCC 12 sees an overflow in fmt where there is none.
      [ "$compiler$level" = g++3 ] && flags="$flags -Wno-stringop-overflow"
      configure -B "$directory" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="$flags" \
        -DWEFT_DEVELOPER_MODE=ON
      cmake --build "$directory" --parallel "$jobs" --target weft_bits >/dev/null || fail "$compiler -O$level does not build"
      "$directory/tests/weft_bits" --targets | sed "s/$/ $compiler -O$level/" | tee -a "$hashes"
    done
  done
  local classes different
  classes=$(cut -d' ' -f1 "$hashes" | sort -u | wc -l)
  different=$(cut -d' ' -f1,3 "$hashes" | sort -u | wc -l)
  say "$(wc -l <"$hashes") builds and targets, $classes classes, $different hashes"
  [ "$classes" -eq 2 ] || fail "expected both classes, with and without fused multiply-add"
  [ "$different" -eq "$classes" ] || fail "expected one hash a class"
}

# ---- Sanitizers -----------------------------------------------------------------------------------------------------

check_tsan() {
  need g++ g++
  configure --preset tsan -B "$builds/tsan"
  cmake --build "$builds/tsan" --parallel "$jobs" --target weft_planted_race weft_race_tests >/dev/null ||
    fail "does not build"
  export TSAN_OPTIONS="halt_on_error=1:exitcode=66:suppressions="
  local code=0
  "$builds/tsan/tests/weft_planted_race" >"$builds/tsan/planted_race.txt" 2>&1 || code=$?
  grep -q "WARNING: ThreadSanitizer: data race" "$builds/tsan/planted_race.txt" && [ "$code" -eq 66 ] ||
    fail "the planted race was not found (exit $code): nothing that follows would mean anything"
  say "the planted race is found"
  # Without those that are about TBB itself.
  "$builds/tsan/tests/weft_race_tests" --gtest_filter='-HostArena.*:Cancelling.OfTheHosts*' || fail "a race, or a test"
}

check_sanitizers() {
  need g++ g++
  configure --preset asan -B "$builds/asan"
  cmake --build "$builds/asan" --parallel "$jobs" >/dev/null || fail "does not build"
  ctest --test-dir "$builds/asan" --output-on-failure --parallel "$jobs" -LE 'nightly|release'
}

# ---- Valgrind -------------------------------------------------------------------------------------------------------

memcheck() {
  valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible --num-callers=30 \
    --suppressions="$root/tests/release/valgrind.supp" "$@" || fail "valgrind: $*"
  checked=$((checked + 1))
}

# 300 training and 60 test images of MNIST: what comes behind a header of its own.
write_images() {
  local split=$1 count=$2 header
  header=$(printf '\\x%02x\\x%02x' $((count / 256)) $((count % 256)))
  { printf '\x00\x00\x08\x03\x00\x00'"$header"'\x00\x00\x00\x1c\x00\x00\x00\x1c'
    zcat "$root/examples/data/mnist/$split-images-idx3-ubyte.gz" | tail -c +17 | head -c $((count * 784)); } >"$data/$split-images-idx3-ubyte" || true
  { printf '\x00\x00\x08\x01\x00\x00'"$header"
    zcat "$root/examples/data/mnist/$split-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$count"; } >"$data/$split-labels-idx1-ubyte" || true
}

check_valgrind() {
  need valgrind valgrind
  configure --preset release -B "$builds/release"
  cmake --build "$builds/release" --parallel "$jobs" --target vae weft_graph_tests weft_models_tests >/dev/null || fail "does not build"
  local vae=$builds/release/examples/vae work data checked=0
  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT  # its name now: it is local
  data=$work/data
  mkdir "$data"
  write_images train 300
  write_images t10k 60
  local model=(--hidden 16 --layers 1) small=(--data "$data" --threads 2)
  memcheck "$vae" --version
  memcheck "$vae" train "${small[@]}" "${model[@]}" --batch 64 --validation 50 --epochs 1 --out "$work/run"
  memcheck "$vae" train --resume "$work/run" --data "$data" --threads 2 --epochs 2
  memcheck "$vae" train "${small[@]}" "${model[@]}" --batch 64 --validation 50 --epochs 1 --out "$work/portable" --numerics portable
  memcheck "$vae" evaluate --from "$work/run" "${small[@]}"
  memcheck "$vae" generate --from "$work/run" "${small[@]}" --out "$work/pictures" --grid 3
  memcheck "$vae" encode --from "$work/run" "${small[@]}" --out "$work/latent.csv"
  memcheck "$vae" reconstruct --from "$work/run" "${small[@]}" --out "$work/pictures"
  memcheck "$vae" graph "${model[@]}" --training >"$work/graph.dot"
  memcheck "$vae" info "$work/run"
  memcheck "$vae" plan "${model[@]}" --measure
  memcheck "$vae" lint "${model[@]}"
  memcheck "$vae" bench "${model[@]}" --threads 1
  memcheck "$builds/release/tests/weft_graph_tests" --gtest_filter='Session.*:Guard.*:PreparedRun.*:ThrowingOp.*:NestedRun.*:Initialize.*-*FloatingPointState*'
  memcheck "$builds/release/tests/weft_models_tests" --gtest_filter='Resume.IsBitExactWithOtherThreads:TrainingStep.Names*:Fit.*'
  say "$checked programs without an error"
}

case ${1:-} in
  compilers | tsan | sanitizers | valgrind)
    "check_$1"
    say "$1: passed" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
