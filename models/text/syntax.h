// The words of a model file (model_text.h) as a tree: what is written, before anybody asks what it means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/models/text/words.h"

namespace weft {

struct Expression {
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
  std::vector<Expression> operands = {};
  std::string signs = {};
  std::vector<std::string_view> names = {};
};

struct Statement {
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
  std::vector<Expression> value = {};  // none, or one
  std::string type = {};
  std::vector<std::string_view> inputs = {};
  std::vector<Statement> body = {};
};

inline constexpr int kMaxModelNesting = 64;  // of brackets and bodies within each other

// All views are into the source's text. Throws GraphError naming line and column, ResourceError beyond the limits.
std::vector<Statement> ParseModelSyntax(const ModelSource& source);

}  // namespace weft
