// What a run throws, beside the errors of the whole library.
#pragma once

#include "weft/graph/error.h"

namespace weft {

// An op threw: the sentence names its node, and what it threw is nested (std::rethrow_if_nested). Steps that had not
// begun did not begin; variables that the run updates may be updated or not. The next run is a run like any other.
class OpError : public Error {
 public:
  using Error::Error;
};

// The host's stop token asked for it. No variable was changed.
class CancelledError : public Error {
 public:
  using Error::Error;
};

}  // namespace weft
