// Files that are not exactly idx, raw or gzip, and what the reader says of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/tests/examples/idx_files.h"

namespace weft {

struct BadIdxFile {
  int row;  // of tests/inputs
  std::string name;
  Bytes bytes;
  std::string what;  // the message is WHAT: PATH: got X, expected Y
  std::string got;   // the rest of the message after the path
  bool labels = false;
};

inline std::vector<BadIdxFile> BadIdxFiles() {
  const Bytes images = TwoImages();
  const Bytes packed = Gzip(images);
  const Bytes pixel = Header({0x803, 1, 1, 1});
  const auto type = [](std::uint32_t code) { return Header({code << 8 | 3, 1, 1, 1}) + Bytes{0}; };
  const auto rank = [](std::uint32_t value) { return Header({0x800 | value, 1, 1, 1}) + Bytes{0}; };
  const auto ends_after = [](std::size_t count) {
    return "got " + std::to_string(count) + " compressed bytes, expected the end of the stream and its checksum";
  };
  const std::string large = ", expected fewer than 1099511627776 elements";
  std::vector<BadIdxFile> files = {
      {18, "text", {'h', 'e', 'l', 'l', 'o'}, "wrong magic number", "got 0x68656C6C, expected 0x00000803 (images)"},
      {18, "wrong magic of labels", Header({0x11111111, 0}), "wrong magic number",
       "got 0x11111111, expected 0x00000801 (labels)", true},
      {18, "little-endian", Header({0x03080000, 1, 1, 1}), "header is little-endian",
       "got 0x03080000, expected big-endian 0x00000803 (images)"},
      {18, "little-endian labels", Header({0x01080000, 1}), "header is little-endian",
       "got 0x01080000, expected big-endian 0x00000801 (labels)", true},
      {19, "labels for images", TwoLabels(), "images and labels are swapped",
       "got 0x00000801 (labels), expected 0x00000803 (images)"},
      {19, "images for labels", images, "images and labels are swapped",
       "got 0x00000803 (images), expected 0x00000801 (labels)", true},
      {20, "16-bit elements", type(0x0B), "unsupported element type",
       "got 0x0B (16-bit integer) at offset 2, expected 0x08 (unsigned byte)"},
      {20, "float elements", type(0x0D), "unsupported element type",
       "got 0x0D (32-bit float) at offset 2, expected 0x08 (unsigned byte)"},
      {20, "unknown elements", type(0xFF), "unsupported element type",
       "got 0xFF at offset 2, expected 0x08 (unsigned byte)"},
      {20, "no dimension", rank(0), "wrong number of dimensions", "got 0 at offset 3, expected 3 (images)"},
      {20, "4 dimensions", rank(4), "wrong number of dimensions", "got 4 at offset 3, expected 3 (images)"},
      {20, "255 dimensions", rank(255), "wrong number of dimensions", "got 255 at offset 3, expected 3 (images)"},
      {21, "one byte short", DropLast(images, 1), "truncated file", "got 27 bytes, expected 28 by its header"},
      {21, "no pixels", First(images, 16), "truncated file", "got 16 bytes, expected 28 by its header"},
      {21, "no labels", First(TwoLabels(), 8), "truncated file", "got 8 bytes, expected 10 by its header", true},
      {22, "one byte more", images + Bytes{0}, "trailing bytes",
       "got 1 extra bytes, expected the end of the file at 28"},
      {22, "zip appended", images + Bytes{'P', 'K', 3, 4, 0}, "trailing bytes",
       "got 5 extra bytes, expected the end of the file at 28"},
      {23, "2³¹ thrice", Header({0x803, 1U << 31, 1U << 31, 1U << 31}), "dimensions are too large",
       "got 2147483648 × 2147483648 × 2147483648 images" + large},
      {23, "product wraps to 0", Header({0x803, 1U << 31, 1U << 31, 4}), "dimensions are too large",
       "got 2147483648 × 2147483648 × 4 images" + large},
      {23, "product wraps to 0 behind the limit", Header({0x803, 1U << 20, 1U << 19, 1U << 25}),
       "dimensions are too large", "got 1048576 × 524288 × 33554432 images" + large},
      {23, "at the limit", Header({0x803, 1U << 20, 1U << 10, 1U << 10}), "dimensions are too large",
       "got 1048576 × 1024 × 1024 images" + large},
      {23, "below the limit", Header({0x803, (1U << 20) - 1, 1U << 10, 1U << 10}), "truncated file",
       "got 16 bytes, expected 1099510579216 by its header"},
      {24, "no images", Header({0x803, 0, 28, 28}), "dataset is empty",
       "got 0 × 28 × 28 images, expected at least one and no zero dimension"},
      {24, "no rows", Header({0x803, 5, 0, 28}), "dataset is empty",
       "got 5 × 0 × 28 images, expected at least one and no zero dimension"},
      {24, "no columns, huge", Header({0x803, ~0U, ~0U, 0}), "dataset is empty",
       "got 4294967295 × 4294967295 × 0 images, expected at least one and no zero dimension"},
      {24, "empty labels", Header({0x801, 0}), "dataset is empty",
       "got 0 labels, expected at least one and no zero dimension", true},
      {27, "label 10", Header({0x801, 3}) + Bytes{9, 0, 10}, "label out of range", "got 10 at index 2, expected 0 to 9",
       true},
      {27, "label 255", Header({0x801, 2}) + Bytes{255, 10}, "label out of range",
       "got 255 at index 0, expected 0 to 9", true},
      {28, "gzip without body", First(packed, 10), "gzip stream ends early", ends_after(10)},
      {28, "gzip cut in its header", First(packed, 3), "gzip stream ends early", ends_after(3)},
      {28, "gzip cut in the middle", First(packed, packed.size() / 2), "gzip stream ends early",
       ends_after(packed.size() / 2)},
      {28, "gzip without trailer", DropLast(packed, 8), "gzip stream ends early", ends_after(packed.size() - 8)},
      {28, "gzip cut in its trailer", DropLast(packed, 1), "gzip stream ends early", ends_after(packed.size() - 1)},
      {28, "second member cut", packed + First(Gzip({}), 12), "gzip stream ends early", ends_after(packed.size() + 12)},
      {29, "gzip method", Flip(packed, 2), "unknown gzip compression method", "got 72 at byte 2, expected 8"},
      {29, "gzip flags", Flip(packed, 3), "unknown gzip flags", "got 0x40 at byte 3, expected no reserved bit"},
      {31, "gzip and garbage", packed + Bytes{1, 2, 3}, "garbage after the gzip stream",
       "got 3 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {31, "gzip and one byte", packed + Bytes{0x1F}, "garbage after the gzip stream",
       "got 1 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {31, "gzip and padding", packed + Bytes(512), "garbage after the gzip stream",
       "got 512 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {29, "gzip length", Flip(packed, -4), "gzip length mismatch", "got 28 bytes of content, expected 92 as stored"},
      {29, "gzip length below", DropLast(packed, 4) + Bytes{27, 0, 0, 0}, "gzip length mismatch",
       "got 28 bytes of content, expected 27 as stored"},
      {18, "gzip of gzip", Gzip(packed), "wrong magic number", "got 0x1F8B0800, expected 0x00000803 (images)"},
      {21, "gzip of a short file", Gzip(First(images, 20)), "truncated file",
       "got 20 bytes, expected 28 by its header"},
      {17, "gzip of a short header", Gzip(First(images, 9)), "truncated header", "got 9 bytes, expected 16"},
      {17, "gzip of nothing", Gzip({}), "truncated header", "got 0 bytes, expected 16"},
      {22, "gzip of trailing bytes", Gzip(images + Bytes{0, 0}), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 28"},
      {30, "gzip bomb", Gzip(pixel + Bytes(std::size_t{1} << 24)), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 17"},
      {30, "bomb in the second member", Gzip(pixel + Bytes{5}) + Gzip(Bytes(std::size_t{1} << 24)), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 17"},
      {21, "gzip of a promise", Gzip(Header({0x803, (1U << 20) - 1, 1U << 10, 1U << 10})), "truncated file",
       "got 16 bytes, expected 1099510579216 by its header"},
  };
  for (std::size_t count = 0; count < 16; ++count) {
    files.push_back({17, std::to_string(count) + " bytes of images", First(images, count), "truncated header",
                     "got " + std::to_string(count) + " bytes, expected 16"});
  }
  for (std::size_t count = 0; count < 8; ++count) {
    files.push_back({17, std::to_string(count) + " bytes of labels", First(TwoLabels(), count), "truncated header",
                     "got " + std::to_string(count) + " bytes, expected 8", true});
  }
  return files;
}

}  // namespace weft
