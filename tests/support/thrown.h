// The sentence of an error, for tests that read it.
#pragma once

#include <string>

#include "weft/graph/error.h"

namespace weft {

// What `action` throws as an E says; "nothing was thrown" if it throws nothing. Other exceptions pass.
template <class E = GraphError, class Action>
std::string Thrown(const Action& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace weft
