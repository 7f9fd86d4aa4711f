// The limits of the processor as one JSON line.
//
//   weft_machine THREADS
#include <cstdio>
#include <string>

#include "weft/examples/vae/limits.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/report.h"

int main(int count, char** arguments) {
  using namespace weft;
  const int threads = count > 1 ? std::stoi(arguments[1]) : 1;
  const Limits limits = MeasureLimits(threads);
  Json json = {{"threads", threads}, {"target", SimdTargets().front()}, {"fma_gflops", limits.flops / 1e9}};
  for (const Bandwidth& each : limits.bandwidths) {
    const std::string level(each.level);
    json[level + "_bytes"] = each.working_set;
    json[level + "_read_gbs"] = each.read / 1e9;
    json[level + "_triad_gbs"] = each.triad / 1e9;
  }
  std::puts(LineOf(json).c_str());
}
