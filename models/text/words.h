// The text of a model file (model_text.h) in words, and the place of each in messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weft/graph/error.h"

namespace weft {

// An error that says where it is.
class PlacedError : public GraphError {
 public:
  using GraphError::GraphError;
};

// A text and what its messages call it. Places are bytes from the beginning.
class ModelSource {
 public:
  ModelSource(std::string_view text, std::string_view title) : text_(text), title_(title) {}

  std::string_view text() const { return text_; }
  std::string_view title() const { return title_; }
  // "TITLE, line 3, column 14"; columns count letters.
  std::string Where(size_t at) const;
  // Throws PlacedError: "WHERE: got GOT, expected EXPECTED".
  [[noreturn]] void Fail(size_t at, std::string_view got, std::string_view expected) const;
  // Puts the place in front of what `function` throws, if it has none.
  template <class Function>
  auto Guarded(size_t at, const Function& function) const {
    try {
      return function();
    } catch (const PlacedError&) {
      throw;
    } catch (const GraphError& error) {
      throw PlacedError(Placed(at, error.what()));
    } catch (const ResourceError& error) {
      throw ResourceError(Placed(at, error.what()));
    }
  }

 private:
  std::string Placed(size_t at, std::string_view message) const;

  std::string_view text_;
  std::string_view title_;
};

// One more level of `depth` for as long as it lives. Throws ResourceError above `most`.
class ModelLevel {
 public:
  ModelLevel(const ModelSource& source, size_t at, int& depth, int most, std::string_view of);
  ~ModelLevel() { --depth_; }
  ModelLevel(const ModelLevel&) = delete;
  ModelLevel& operator=(const ModelLevel&) = delete;

 private:
  int& depth_;
};

struct ModelToken {
  enum class Kind : uint8_t { kEnd, kLine, kNumber, kString, kName, kSign };
  Kind kind;
  size_t at;
  std::string_view text;
};

// The words from the front of the text, one at a time; within round and square brackets a line does not end.
class ModelWords {
 public:
  // Throws ResourceError above kMaxModelText.
  explicit ModelWords(const ModelSource& source);
  // The end of the text again and again, once it is reached. Throws GraphError for a string without an end.
  ModelToken Next();

 private:
  ModelToken Take(ModelToken::Kind kind, size_t end);
  void Skip();
  size_t EndOfName() const;
  size_t EndOfNumber() const;

  const ModelSource& source_;
  std::string_view text_;
  size_t at_ = 0;
  int brackets_ = 0;
};

}  // namespace weft
