// The words of a model file (model_text.h) as a tree: what is written, before anybody asks what it means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/models/text/words.h"

namespace weft {

struct ModelExpression {
  enum class Kind : uint8_t {
    kNumber,  // number
    kString,  // text
    kName,    // text: a path
    kNegate,  // operands[0]
    kChain,   // operands[0] signs[0] operands[1] …, from the left; of + − alone or * / alone
    kCall,    // text(operands…), each named by `names` ("": by its place)
    kList,    // operands
  };
  Kind kind;
  size_t at;
  std::string_view text = {};
  double number = 0;
  std::vector<ModelExpression> operands = {};
  std::string signs = {};
  std::vector<std::string_view> names = {};
};

struct ModelStatement {
  enum class Kind : uint8_t {
    kParameter,   // name = value
    kBlock,       // name(inputs…), body, value: what it returns
    kScope,       // name, body
    kRepeat,      // value, body
    kRole,        // name = value
    kCollection,  // name, value: a list
    kAssign,      // name = value, type: a kind of values
  };
  Kind kind;
  size_t at;
  std::string_view name = {};
  std::vector<ModelExpression> value = {};  // none, or one
  std::string type = {};
  std::vector<std::string_view> inputs = {};
  std::vector<ModelStatement> body = {};
};

inline constexpr int kMaxModelNesting = 64;  // of brackets and bodies within each other

// All views are into the source's text. Throws GraphError naming line and column, ResourceError beyond the limits.
std::vector<ModelStatement> ParseModelSyntax(const ModelSource& source);

}  // namespace weft
