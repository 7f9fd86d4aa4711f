// Rules of names, globs, and nearest spellings.
#include "weft/graph/path.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {

Path::Path(std::string_view text) : Path(std::string(text)) {}

Path::Path(std::string given) : text_(std::move(given)) {
  const std::string_view text = text_;
  const auto fail = [text](std::string_view reason) {
    throw GraphError(fmt::format("name '{}': {}", Escaped(text, 80), reason));
  };
  if (text.empty()) fail("is empty");
  if (text.size() > kMaxBytes) fail(fmt::format("got {} bytes, expected at most {}", text.size(), kMaxBytes));
  if (text.front() == '/' || text.back() == '/' || text.find("//") != std::string_view::npos)
    fail("has an empty component");
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) fail("has a control character");
  }
}

Path Path::parent() const {
  Path result;
  const size_t slash = text_.rfind('/');
  if (slash != std::string::npos) result.text_ = text_.substr(0, slash);
  return result;
}

std::string_view Path::leaf() const {
  const size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(slash + 1);
}

Path Path::operator/(const Path& child) const {
  if (is_root()) return child;
  if (child.is_root()) return *this;
  Path result;
  result.text_.reserve(text_.size() + 1 + child.text_.size());
  result.text_.append(text_).append("/").append(child.text_);
  if (result.text_.size() > kMaxBytes) return Path(std::move(result.text_));  // which says so
  return result;
}

bool Path::IsWithin(const Path& scope) const {
  if (scope.is_root() || text_ == scope.text_) return true;
  return text_.size() > scope.text_.size() && text_.starts_with(scope.text_) && text_[scope.text_.size()] == '/';
}

bool MatchesGlob(std::string_view pattern, std::string_view path) {
  // Row by row over the pattern: reachable[i] says that the pattern so far can have consumed i letters.
  std::vector<char> reachable(path.size() + 1, 0);
  reachable[0] = 1;
  for (size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] == '*') {
      const bool across = p + 1 < pattern.size() && pattern[p + 1] == '*';
      if (across) ++p;
      for (size_t i = 0; i < path.size(); ++i) {
        if (reachable[i] && (across || path[i] != '/')) reachable[i + 1] = 1;
      }
    } else {
      for (size_t i = path.size(); i > 0; --i) reachable[i] = reachable[i - 1] && path[i - 1] == pattern[p];
      reachable[0] = 0;
    }
  }
  return reachable[path.size()];
}

namespace {

// Edits between two words: Damerau's distance with swaps of neighbours ("optimal string alignment").
size_t Edits(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view NearestSpelling(std::string_view name, std::span<const std::string_view> candidates) {
  std::string_view nearest;
  size_t fewest = name.size() / 3 + 1;
  for (std::string_view candidate : candidates) {
    const size_t difference =
        candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
    if (difference > fewest) continue;
    const size_t edits = Edits(name, candidate);
    if (edits < fewest || (edits == fewest && nearest.empty())) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view nearest = NearestSpelling(name, candidates);
  return nearest.empty() ? std::string() : fmt::format(". Did you mean '{}'?", nearest);
}

}  // namespace weft
