// Event files of TensorBoard: what a training says of itself, step by step.
//
//   EventFile events("logs/steps");
//   events.AddScalar("Loss/Total", step, 142.3);
//   events.AddHistogram("Encoder/Mean/W", step, Histogram::Of(weights));
//   events.AddImage("Decoder/Mean", step, {.height = 420, .width = 420, .png = png});
//
// A file is a row of records, each with checksums (TFRecord), and each is written by one call behind the last: a
// process that is killed leaves whole records and at most a part of the last one, which readers pass over. Nothing is
// synced: a power cut may cost the last seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "weft/exporters/histogram.h"

namespace weft {

struct GreyPicture {
  int height = 0, width = 0;  // pixels
  std::string_view png = {};  // the bytes of a PNG file
};

// Writes one file; not for two threads at once. All Add… throw std::system_error naming the file where the disk fails:
// what was written before is whole, and the next record may succeed again.
class EventFile {
 public:
  // Makes events.out.tfevents.SECONDS.HOST in `directory`, which exists; with a number behind it where that is taken.
  // `first_step`: of a run that goes on, TensorBoard forgets what a killed one has logged from there on; −1: a new run.
  // Throws std::system_error.
  explicit EventFile(const std::filesystem::path& directory, int64_t first_step = -1);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Tags are shown as they are, but for control characters and broken UTF-8 (\xNN), and grouped by what stands before
  // the first '/'.
  void AddScalar(std::string_view tag, int64_t step, double value);
  void AddHistogram(std::string_view tag, int64_t step, const Histogram& histogram);
  void AddImage(std::string_view tag, int64_t step, const GreyPicture& picture);
  // Bytes of ToGraphDef (graph_def.h), and of ToRunMetadata, which are shown over that graph under their own tag.
  void AddGraph(std::string_view graph_def);
  void AddRunMetadata(std::string_view tag, int64_t step, std::string_view run_metadata);

 private:
  void Append(std::string_view record);

  std::filesystem::path path_;
  int file_ = -1;
  uint64_t size_ = 0;  // of whole records
};

}  // namespace weft
