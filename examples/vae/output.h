// Output: results on stdout. That nobody reads them, or that they cannot be written, is told at the end, when all else
// is done: a training is not lost for it.
#pragma once

#include <string_view>

namespace weft {

// Makes sure that the descriptors 0 to 2 are open, so that no file of ours gets one of their numbers; what is written
// to one that was closed fails.
void ReserveStandardStreams();

class Output {
 public:
  // Writes `text` and a newline at once; after a failure nothing more.
  void Line(std::string_view text) { Write(text, true); }
  // Writes `text` as it is.
  void Text(std::string_view text) { Write(text, false); }
  // Throws std::system_error if something could not be written.
  void Finish() const;

 private:
  void Write(std::string_view text, bool newline);

  int error_ = 0;  // errno of the first failure
};

// A line for the reader of stderr; lost if it cannot be written.
void Note(std::string_view text);

}  // namespace weft
