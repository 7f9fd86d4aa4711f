// Compare(a, b) = 1 where "a relation b" holds, else 0; attribute "relation" is one of > >= == !=. As in C, all but !=
// are false where a or b is NaN. Less is Greater with its operands swapped, LessEqual is GreaterEqual.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void CompareBlock(const BlockArguments& block) {
  const std::string& relation = block.attributes->Get<std::string>("relation");
  const auto map = [&block](auto result) HWY_ATTR {
    Map<2>(block, [&result](auto d, auto a, auto b) HWY_ATTR { return result(a, b, Fill(d, 1)); });
  };
  if (relation == ">") {
    map([](auto a, auto b, auto one) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(a, b), one); });
  } else if (relation == ">=") {
    map([](auto a, auto b, auto one) HWY_ATTR { return hn::IfThenElseZero(hn::Ge(a, b), one); });
  } else if (relation == "==") {
    map([](auto a, auto b, auto one) HWY_ATTR { return hn::IfThenElseZero(hn::Eq(a, b), one); });
  } else {  // != is not hn::Ne, which is false for NaN on AVX2 and AVX3 and true on the other targets
    map([](auto a, auto b, auto one) HWY_ATTR { return hn::IfThenZeroElse(hn::Eq(a, b), one); });
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/elementwise/elementwise.h"

namespace weft {
namespace {

HWY_EXPORT(CompareBlock);

bool Holds(const std::string& relation, double a, double b) {
  if (relation == ">") return a > b;
  if (relation == ">=") return a >= b;
  return (a == b) == (relation == "==");
}

Node Compared(Node a, std::string relation, Node b) {
  return Elementwise(kCompare, {a, b}, {{"relation", std::move(relation)}});
}

}  // namespace

constinit const OpDef kCompare = {
    .name = "Compare",
    .arity = 2,
    .type = [](const TypeContext& context) -> TensorType {
      const auto& relation = context.attributes().Get<std::string>("relation");
      const bool known = relation == ">" || relation == ">=" || relation == "==" || relation == "!=";
      context.Require(known, "got the relation '" + Escaped(relation) + "', expected >, >=, == or !=");
      TensorType type = ElementwiseType(context);
      type.kind = ValueKind::kMask;
      return type;
    },
    .formula =
        [](std::span<const Tensor> operands, const Attributes& attributes, const TensorType& type) {
          const auto& relation = attributes.Get<std::string>("relation");
          const auto a = operands[0].values<double>(), b = operands[1].values<double>();
          Tensor result(DType::kFloat64, type.shape);
          for (size_t i = 0; i < a.size(); ++i) result.values<double>()[i] = Holds(relation, a[i], b[i]) ? 1 : 0;
          return result;
        },
    // Constant but for jumps: zero.
    .gradient = [](const GradientContext&) -> Contributions {
      return {std::nullopt, std::nullopt};
    },
    .lower = PerBlock{[](const BlockArguments& block) {
      HWY_DYNAMIC_DISPATCH(CompareBlock)
      (block);
    }},
    .samples =
        [] {  // never equal: the result jumps there
          std::vector<Attributes> relations;
          for (const char* relation : {">", ">=", "==", "!="})
            relations.push_back({{"relation", std::string(relation)}});
          const Domain low = {-3, -0.1}, high = {0.1, 3};
          return Joined(ElementwiseSamples(2, {low, high}, 0, relations),
                        ElementwiseSamples(2, {high, low}, 0, relations));
        },
};

Node Greater(Node a, Node b) { return Compared(a, ">", b); }
Node GreaterEqual(Node a, Node b) { return Compared(a, ">=", b); }
Node Less(Node a, Node b) { return Compared(b, ">", a); }
Node LessEqual(Node a, Node b) { return Compared(b, ">=", a); }
Node Equal(Node a, Node b) { return Compared(a, "==", b); }
Node NotEqual(Node a, Node b) { return Compared(a, "!=", b); }

}  // namespace weft
#endif
