// weft_bits: what bits this build gives, a line for each op and model and each numerics class.
//
//   weft_bits --golden          for tests/models/golden/bits.txt: both classes
//   weft_bits --targets         "fma AVX2 HASH": all of them as one hash, for each SIMD target
//   weft_bits --training FILE   the hash of a training run on four threads, written to FILE: stdin and stdout may be
//                               closed. Numbers are printed by the user's locale meanwhile.
#include <clocale>
#include <cstdio>
#include <exception>
#include <fstream>
#include <locale>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "weft/ops/numerics.h"
#include "weft/tests/support/bits.h"
#include "weft/tests/support/sha256.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/training_bits.h"

namespace weft {
namespace {

std::vector<BitsLine> AllBits() {
  std::vector<BitsLine> lines = BitsOfOps();
  for (BitsLine& line : BitsOfTraining()) lines.push_back(std::move(line));
  return lines;
}

void PrintGolden() {
  fmt::print("numerics {}\n", kNumericsVersion);
  std::set<NumericsClass> done;
  for (const int64_t target : SimdTargets()) {
    if (!done.insert(ClassOfTarget(target)).second) continue;
    const OnSimdTarget on(target);
    for (const BitsLine& line : AllBits()) fmt::print("{} {}\n", Name(ClassOfTarget(target)), line.Text());
  }
}

void PrintTargets() {
  for (const int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    Sha256 hash;
    for (const BitsLine& line : AllBits()) hash.Add(line.Text());
    fmt::print("{} {} {}\n", Name(ClassOfTarget(target)), SimdTargetName(target), hash.Hex());
  }
}

void WriteTraining(const char* file) {
  // Without the environment's locale, one that has a decimal comma all the same.
  struct DecimalComma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
  };
  std::locale::global(std::locale(std::locale::classic(), new DecimalComma));
  std::setlocale(LC_ALL, "");
  std::ofstream(file) << RunTraining({.threads = 4}).hash;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  const std::string_view request = argc > 1 ? argv[1] : "";
  try {
    if (request == "--golden") weft::PrintGolden();
    else if (request == "--targets") weft::PrintTargets();
    else if (request == "--training" && argc == 3) weft::WriteTraining(argv[2]);
    else return std::fputs("usage: weft_bits --golden | --targets | --training FILE\n", stderr), 2;
  } catch (const std::exception& error) {
    return fmt::print(stderr, "weft_bits: error: {}\n", error.what()), 1;
  }
}
