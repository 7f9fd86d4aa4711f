// Many sessions at once over one graph and one store: their results must have the bits of one session alone.
#pragma once

namespace weft {

struct ConcurrentSessions {
  int sessions = 8;  // a thread each
  int runs_each = 10'000;
  int threads_each = 1;  // of the session's own runner
};

// Meanwhile one more thread makes sessions, runs them once and destroys them. Fails the current test where bits differ.
void ExpectSameBitsFromSessionsAtOnce(const ConcurrentSessions& size);

// One session trains for `steps` steps while others infer over the same store and one more comes and goes: training has
// the bits of a run alone.
void ExpectInferenceBesideTraining(int steps);

}  // namespace weft
