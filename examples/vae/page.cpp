// Names become contents.
#include "weft/examples/vae/page.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "weft/examples/vae/embedded_files.h"

namespace weft {
namespace {

std::string_view Content(std::string_view name, const std::vector<PageFile>& files) {
  const auto found = std::ranges::find(files, name, &PageFile::name);
  return found != files.end() ? found->text : Embedded(name);
}

// Other words for the same string where HTML would see an end of a script, or a comment.
void AppendWithin(std::string& page, std::string_view name, std::string_view content) {
  const bool is_json = name.ends_with(".json");
  for (size_t at = 0; at < content.size(); ++at) {
    const std::string_view rest = content.substr(at);
    if (is_json && rest[0] == '<') page += "\\u003c";
    else if (rest.starts_with("</s") || rest.starts_with("</S")) page += "<\\";
    else if (rest.starts_with("<!--")) page += "\\x3c";
    else page += rest[0];
  }
}

}  // namespace

bool IsEmbedded(std::string_view name) {
  return std::ranges::find(EmbeddedFiles(), name, &EmbeddedFile::name) != EmbeddedFiles().end();
}

std::string_view Embedded(std::string_view name) {
  const auto files = EmbeddedFiles();
  const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
  if (found == files.end()) throw std::logic_error(fmt::format("page: {}: no such file", name));
  return found->content;
}

std::string Page(std::string_view name, const std::vector<PageFile>& files) {
  std::string_view rest = Embedded(name);
  std::string page;
  for (size_t at = 0; (at = rest.find("{{")) != std::string_view::npos;) {
    const size_t end = rest.find("}}", at);
    const std::string_view file = rest.substr(at + 2, end - at - 2);
    page += rest.substr(0, at);
    AppendWithin(page, file, Content(file, files));
    rest.remove_prefix(end + 2);
  }
  return page.append(rest);
}

}  // namespace weft
