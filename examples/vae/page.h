// Pages for a browser: files of pages/ that are in the tool. A page says in braces where others go,
//
//   <style>{{look.css}}</style>
//   <script type="application/json" id="data">{{data.json}}</script>
//   <script>{{graph.js}}</script>
//
// and becomes one file that needs no other, and no network:
//
//   WriteWhole("graph.html", Page("graph.html", {{"data.json", json.dump()}}));
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct PageFile {
  std::string_view name;
  std::string_view text;
};

// The embedded page `name` with what it names put in: one of `files`, or else an embedded file. Whatever strings a
// .json has, or a .js in its literals, none ends the element that it stands in. Throws std::logic_error if there is no
// such page, or no file that it names.
std::string Page(std::string_view name, const std::vector<PageFile>& files);

// Whether there is such a file: not graphviz.js where the tool was built without npm.
bool IsEmbedded(std::string_view name);
// Its content. Throws std::logic_error if there is no such file.
std::string_view Embedded(std::string_view name);

}  // namespace weft
