// A Cairo surface as a PNG file that appears whole or not at all.
#pragma once

#include <cairo.h>

#include <filesystem>
#include <memory>
#include <string>

namespace weft {

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

/// Throws std::runtime_error naming `path` where `status` is not success.
void RequireDrawn(cairo_status_t status, const std::filesystem::path& path);

/// The bytes of a PNG file; `path` is for messages.
std::string EncodePng(cairo_surface_t* surface, const std::filesystem::path& path);

/// `path` holds the old picture or the new one, also after a power cut. Throws std::system_error naming `path`; then
/// nothing is left behind.
void WritePng(const std::filesystem::path& path, cairo_surface_t* surface);

}  // namespace weft
