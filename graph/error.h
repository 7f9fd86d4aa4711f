// The errors of the library: every one is an exception with one clear sentence, none aborts the host.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace weft {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The caller built or fed nonsense: thrown while a graph is built, compiled or fed.
class GraphError : public Error {
 public:
  using Error::Error;
};

// A checkpoint or graph file does not hold what it should. Nothing was changed in memory.
class CheckpointError : public Error {
 public:
  using Error::Error;
};

// A number is NaN or infinite where none may be.
class NumericError : public Error {
 public:
  using Error::Error;
};

// A size is beyond a documented limit or beyond what can be addressed.
class ResourceError : public Error {
 public:
  using Error::Error;
};

// `text` fit for one line of a message: control characters and broken UTF-8 as \xNN, cut after `limit` bytes.
std::string Escaped(std::string_view text, size_t limit = 200);

}  // namespace weft
