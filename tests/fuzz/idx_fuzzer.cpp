// The reader of idx files, as images and as labels: what it accepts is exactly what the header says.
#include <cstdint>
#include <string_view>
#include <vector>

#include "weft/examples/vae/idx.h"
#include "weft/tests/fuzz/memory_file.h"
#include "weft/tests/fuzz/oracle.h"

namespace weft {
namespace {

bool EndsWith(std::string_view file, size_t header, const std::vector<uint8_t>& elements) {
  return file.size() == header + elements.size() &&
         std::equal(elements.begin(), elements.end(), file.begin() + static_cast<std::ptrdiff_t>(header),
                    [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); });
}

void Check(std::string_view content) {
  static MemoryFile file;
  file.Hold(content);
  const bool is_gzip = content.starts_with("\x1F\x8B");
  if (const auto images = Accepted<DataError>([] { return ReadIdxImages(file.path()); })) {
    Require(images->count > 0 && images->rows > 0 && images->columns > 0, "images are there and have pixels");
    Require(images->pixels.size() == static_cast<uint64_t>(images->count * images->rows * images->columns),
            "there are as many pixels as the header says");
    Require(is_gzip || EndsWith(content, 16, images->pixels), "pixels are the bytes behind the header");
  }
  if (const auto labels = Accepted<DataError>([] { return ReadIdxLabels(file.path()); })) {
    Require(!labels->empty(), "labels are there");
    Require(is_gzip || EndsWith(content, 8, *labels), "labels are the bytes behind the header");
    for (uint8_t label : *labels) Require(label <= 9, "a label is a digit");
  }
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
