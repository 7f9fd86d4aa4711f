// What to do next, at the end of an error that comes from below and cannot know it.
#pragma once

#include <string>
#include <string_view>

#include "weft/graph/error.h"

namespace weft {

// Of files that are no checkpoint of the model that is asked for.
inline constexpr std::string_view kCheckpointAdvice =
    "'vae info' lists what a checkpoint holds, 'vae import' makes one of the weights of other programs";

// Returns what `action` returns; a CheckpointError that it throws has the advice behind its sentence.
template <class Action>
auto WithAdvice(std::string_view advice, const Action& action) {
  try {
    return action();
  } catch (const CheckpointError& error) {
    throw CheckpointError(std::string(error.what()) + "; " + std::string(advice));
  }
}

}  // namespace weft
