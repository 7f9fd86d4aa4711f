// Encodes in memory first, so that a full disk is the only thing that can go wrong while writing.
#include "weft/examples/vae/png_file.h"

#include <fmt/format.h>

#include <new>
#include <stdexcept>
#include <string>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/printable.h"

namespace weft {

void RequireDrawn(cairo_status_t status, const std::filesystem::path& path) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  if (status == CAIRO_STATUS_NO_MEMORY) throw std::bad_alloc();
  throw std::runtime_error(
      fmt::format("cannot draw picture: {}: {}", Printable(path.native()), cairo_status_to_string(status)));
}

std::string EncodePng(cairo_surface_t* surface, const std::filesystem::path& path) {
  std::string png;
  const auto append = [](void* target, const unsigned char* bytes, unsigned count) {
    try {
      static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(bytes), count);
    } catch (const std::bad_alloc&) {  // no exception may cross Cairo
      return CAIRO_STATUS_NO_MEMORY;
    }
    return CAIRO_STATUS_SUCCESS;
  };
  RequireDrawn(cairo_surface_write_to_png_stream(surface, append, &png), path);
  return png;
}

void WritePng(const std::filesystem::path& path, cairo_surface_t* surface) {
  WriteWhole(path, EncodePng(surface, path));
}

}  // namespace weft
