// Every op that PyTorch can express beside PyTorch, in f64: values, gradients, and gradients of gradients. The file of
// golden/make_golden.py has the cases.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/golden_file.h"
#include "weft/tests/support/gradient_graph.h"
#include "weft/tests/support/simd_targets.h"

namespace weft {
namespace {

// PyTorch has no such thing, or other numbers: sources and random ops, which are asked for themselves, and these.
const std::set<std::string_view> kExempt = {"ElementCount", "ByMode"};

// What the library builds of several ops, where PyTorch has one.
using Builder = std::function<Node(const std::vector<Node>&, const Attributes&)>;
const std::map<std::string_view, Builder> kBuilders = {
    {"Gelu", [](const auto& x, const Attributes&) { return Gelu(x[0]); }},
    {"Clamp",
     [](const auto& x, const Attributes& a) { return Clamp(x[0], a.Get<double>("low"), a.Get<double>("high")); }},
    {"ReduceMean", [](const auto& x, const Attributes& a) { return ReduceMean(x[0], a.Get<Axes>("axes")); }},
    {"LogSoftmax", [](const auto& x, const Attributes&) { return LogSoftmax(x[0]); }},
};

// "axis=0 count=1"
Attributes Parsed(std::string_view text) {
  Attributes attributes;
  while (!text.empty()) {
    const size_t equals = text.find('=');
    const std::string key(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    attributes.Set(key, ParseAttributeValue(text));
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  return attributes;
}

std::string OpOf(const std::string& name) { return name.substr(0, name.find('/')); }

// A case of the file as a graph with the values of its operands and weights.
class GoldenCase {
 public:
  GoldenCase(const GoldenFile& golden, std::string name) : golden_(golden), name_(std::move(name)) {
    std::map<NodeId, Tensor> feeds;
    for (size_t i = 0; golden_.contains(Entry("x", i)); ++i) {
      const Tensor& x = golden_[Entry("x", i)];
      operands_.push_back(Placeholder(graph_, "X" + std::to_string(i), x.shape(), {.dtype = x.dtype()}));
      feeds.emplace(operands_.back().id(), x);
    }
    const Attributes attributes = Parsed(golden_.metadata().at(name_));
    const OpDef* op = FindOp(OpOf(name_));
    const Node y =
        op != nullptr ? graph_.Add(*op, operands_, attributes) : kBuilders.at(OpOf(name_))(operands_, attributes);
    gradients_.emplace(std::vector{y}, operands_, feeds);
  }

  // The largest relative error of all that the file has for the case, and its name.
  std::pair<double, std::string> Worst() {
    const GradientCheck first = gradients_->First(), second = gradients_->Second();
    std::map<NodeId, Tensor> feeds = gradients_->feeds();
    feeds.at(first.weights[0].id()) = golden_[name_ + "/v"];
    for (size_t i = 0; i < second.weights.size(); ++i) feeds.at(second.weights[i].id()) = golden_[Entry("u", i)];
    std::vector<Node> fetches = first.fetches();
    fetches.insert(fetches.end(), second.gradients.begin(), second.gradients.end());
    std::vector<std::string> names = {name_ + "/y"};
    for (const char* kind : {"g", "h"}) {
      for (size_t i = 0; i < operands_.size(); ++i) names.push_back(Entry(kind, i));
    }
    const std::vector<Tensor> got = CompiledGraph(graph_, fetches).Run(feeds);
    std::pair<double, std::string> worst;
    for (size_t i = 0; i < names.size(); ++i) {
      worst = std::max(worst, std::pair(RelativeError(got[i], golden_[names[i]]), names[i]));
    }
    return worst;
  }

 private:
  std::string Entry(const std::string& kind, size_t i) const { return name_ + "/" + kind + std::to_string(i); }

  const GoldenFile& golden_;
  std::string name_;
  Graph graph_;
  std::vector<Node> operands_;
  std::optional<GradientGraph> gradients_;
};

TEST(OpsBesidePyTorch, HaveTheSameValuesAndGradientsOfBothOrders) {
  const GoldenFile golden("ops");
  std::pair<double, std::string> worst;
  for (const int64_t target : SimdTargets()) {
    const OnSimdTarget on(target);
    for (const auto& [name, attributes] : golden.metadata()) {
      const auto of_case = GoldenCase(golden, name).Worst();
      EXPECT_LE(of_case.first, 1e-12) << of_case.second << " " << attributes << " on " << SimdTargetName(target);
      worst = std::max(worst, of_case);
    }
  }
  RecordProperty("cases", static_cast<int>(golden.metadata().size()));
  RecordProperty("worst", std::to_string(worst.first / 1e-16) + "e-16 in " + worst.second);
}

TEST(OpsBesidePyTorch, AreAllButThoseThatItCannotExpress) {
  const GoldenFile golden("ops");
  std::set<std::string> covered;
  for (const auto& [name, attributes] : golden.metadata()) covered.insert(OpOf(name));
  for (const OpDef* op : AllOps()) {
    const bool exempt = op->is_source() || op->traits.is_random || kExempt.contains(op->name);
    EXPECT_NE(covered.contains(std::string(*op->name)), exempt) << *op->name;
  }
  for (const auto& [name, builder] : kBuilders) EXPECT_TRUE(covered.contains(std::string(name))) << name;
}

}  // namespace
}  // namespace weft
