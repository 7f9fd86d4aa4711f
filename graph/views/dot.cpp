// Clusters, styles and escapes around Boost.Graph's write_graphviz.
#include "weft/graph/views/dot.h"

#include <algorithm>
#include <locale>
#include <map>
#include <sstream>

#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/graphviz.hpp>
#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/views/picture.h"

namespace weft {
namespace {

// Text for a label, or anything else in quotes. Graphviz reads \N, \l, … and &amp; in labels, so \ and & are doubled
// too.
std::string Quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : Escaped(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
    if (c == '&') result += "amp;";
  }
  return result + "\"";
}

std::string LabelOf(const Box& box) {
  std::string label;
  for (const std::string& line : box.lines) {
    const std::string quoted = Quoted(line);
    label += (label.empty() ? "" : "\\n") + quoted.substr(1, quoted.size() - 2);
  }
  return "\"" + label + "\"";
}

std::string_view StyleOf(BoxKind kind) {
  switch (kind) {
    case BoxKind::kPlaceholder: return R"(shape=invhouse, style=filled, fillcolor="#FFF1CC", color="#C9972B")";
    case BoxKind::kVariable: return R"(shape=cylinder, style=filled, fillcolor="#DCEBFA", color="#3F77B0")";
    case BoxKind::kConstant: return R"(shape=note, style=filled, fillcolor="#F1F3F5", color="#9AA3AE")";
    case BoxKind::kRandom: return R"(shape=hexagon, style=filled, fillcolor="#EFE3F8", color="#8A56B0")";
    case BoxKind::kOp: return R"(shape=box, style="rounded,filled", fillcolor="#FFFFFF", color="#55606E")";
    case BoxKind::kGradient: return R"(shape=box, style="rounded,filled", fillcolor="#FBE4E1", color="#BF5B52")";
    case BoxKind::kUpdate: return R"(shape=box, style="rounded,filled,bold", fillcolor="#E1F3E3", color="#3F8F4B")";
    case BoxKind::kScope:
      return R"(shape=box, peripheries=2, style="rounded,filled", fillcolor="#E6EBF1", color="#55606E")";
    case BoxKind::kOutside: return R"(shape=plaintext, fontcolor="#8A94A1")";
  }
  return "";
}

constexpr std::string_view kDefaults =
    R"(graph [rankdir=TB, nodesep=0.25, ranksep=0.3, fontname="Helvetica", fontsize=12, fontcolor="#38424F", labeljust=l];
node [fontname="Helvetica", fontsize=10, fontcolor="#1F2933", height=0.3, margin="0.12,0.05"];
edge [fontname="Helvetica", fontsize=8, fontcolor="#76808D", color="#76808D", arrowsize=0.6];
)";

// The scopes as nested clusters that list the ids in them; declared first, they keep what is declared of the ids later.
class ClusterWriter {
 public:
  explicit ClusterWriter(const Picture& picture) : picture_(&picture) {}

  void operator()(std::ostream& out) const {
    out << kDefaults;
    std::map<Path, std::vector<NodeId>> clusters;
    for (const auto& [id, box] : picture_->boxes) {
      clusters[box.scope].push_back(id);
      for (Path scope = box.scope; !scope.is_root(); scope = scope.parent()) clusters[scope];
    }
    WriteClusters(out, clusters);
    // A next value mostly depends on its variable: declared from there and painted backwards, the arrow closes no
    // cycle. (Graphviz's own remedy, constraint=false, makes it fail in some graphs with clusters.)
    WritePairs(out, picture_->graph->updates(), "update",
               "dir=back, style=dashed, color=\"#3F8F4B\", fontcolor=\"#3F8F4B\"");
    std::vector<Graph::Pair> values_first;
    for (const auto& [variable, value] : picture_->graph->initial_values()) values_first.emplace_back(value, variable);
    WritePairs(out, values_first, "initial value", "style=dotted");
  }

 private:
  // Paths are walked in the order of their components, so that a scope is followed by all that lies within.
  static void WriteClusters(std::ostream& out, const std::map<Path, std::vector<NodeId>>& clusters) {
    std::vector<Path> open;
    size_t number = 0;
    std::vector<Path> order;
    order.reserve(clusters.size());
    for (const auto& [scope, ids] : clusters) order.push_back(scope);
    std::ranges::sort(order, [](const Path& a, const Path& b) {
      const auto slash_first = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
      return std::ranges::lexicographical_compare(a.str(), b.str(), {}, slash_first, slash_first);
    });
    for (const Path& scope : order) {
      while (!open.empty() && !scope.IsWithin(open.back())) {
        out << "}\n";
        open.pop_back();
      }
      if (!scope.is_root()) {
        const bool is_gradient = scope.IsWithin("Gradients");
        out << fmt::format("subgraph cluster_{} {{\nlabel={}; style=\"{}\"; color=\"{}\"; fillcolor=\"{}\";\n",
                           number++, Quoted(scope.leaf()), is_gradient ? "rounded,filled,dashed" : "rounded,filled",
                           is_gradient ? "#BF5B52" : "#B4BDC8", is_gradient ? "#BF5B520C" : "#5B7A9D12");
        open.push_back(scope);
      }
      for (NodeId id : clusters.at(scope)) out << Index(id) << ";\n";
    }
    for (size_t i = 0; i < open.size(); ++i) out << "}\n";
  }

  void WritePairs(std::ostream& out, std::span<const Graph::Pair> pairs, std::string_view label,
                  std::string_view style) const {
    std::map<Graph::Pair, size_t> counts;
    for (const auto& [first, second] : pairs) {
      const NodeId from = picture_->box[Index(first)], to = picture_->box[Index(second)];
      if (picture_->boxes.contains(from) && picture_->boxes.contains(to) && from != to) ++counts[{from, to}];
    }
    for (const auto& [boxes, count] : counts) {
      const std::string text = count == 1 ? fmt::format(" {}", label) : fmt::format(" {} {}s", count, label);
      out << fmt::format("{}->{} [label={}, {}];\n", Index(boxes.first), Index(boxes.second), Quoted(text), style);
    }
  }

  const Picture* picture_;
};

// Lets pass what is a key of the map.
template <class Map>
struct IsKeyOf {
  const Map* map = nullptr;
  bool operator()(const typename Map::key_type& key) const { return map->contains(key); }
};
template <class Map>
IsKeyOf(const Map*) -> IsKeyOf<Map>;

// Ids as text, so that no locale puts separators into them.
struct IdText {
  using key_type = NodeId;
  using value_type = std::string;
  using reference = std::string;
  using category = boost::readable_property_map_tag;
  const Picture* picture;
};
std::string get(const IdText& map, NodeId id) { return std::to_string(Index(map.picture->box[Index(id)])); }

}  // namespace

std::string ToDot(const Graph& graph, const DotOptions& options) {
  const Picture picture = DrawnPart(graph, options);
  const boost::filtered_graph drawn(picture, IsKeyOf{&picture.arrows}, IsKeyOf{&picture.boxes});
  const auto write_box = [&](std::ostream& out, NodeId id) {
    const Box& box = picture.boxes.at(id);
    out << fmt::format(" [label={}, tooltip={}, {}]", LabelOf(box),
                       Quoted(graph.name(id).str() + "  " + ToString(graph.type(id))), StyleOf(box.kind));
  };
  const auto write_arrow = [&](std::ostream& out, const Edge& edge) {
    const std::string& label = picture.arrows.at(edge);
    if (!label.empty()) out << "[label=" << Quoted(" " + label) << "]";  // the space keeps it off the arrow
  };
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // else a stream that gets no memory goes on in silence
  out.imbue(std::locale::classic());
  boost::write_graphviz(out, drawn, write_box, write_arrow, ClusterWriter(picture), IdText{&picture});
  return out.str();
}

}  // namespace weft
