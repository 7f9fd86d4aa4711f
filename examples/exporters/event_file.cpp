// TFRecord: u64 length, u32 checksum of the length, the bytes, u32 checksum of the bytes; all little-endian.
#include "weft/exporters/event_file.h"

#include <bit>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <events.pb.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/crc32c.h"

namespace weft {
namespace {

namespace tb = tensorboard;

constexpr size_t kMostTag = 4096;  // bytes; a name of weft has at most 512, before what it has of odd ones is escaped

// So that a checksum of data with checksums within is no checksum of zeros.
uint32_t Masked(uint32_t checksum) { return std::rotr(checksum, 15) + 0xA282EAD8; }

void AppendNumber(std::string& text, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

void AppendChecksum(std::string& text, std::string_view of) {
  AppendNumber(text, Masked(Crc32c(std::as_bytes(std::span(of)))), 4);
}

[[noreturn]] void Throw(int error, const std::filesystem::path& path, std::string_view what) {
  throw std::system_error(error, std::generic_category(),
                          fmt::format("events: {}: {}", Escaped(path.native(), 400), what));
}

std::string HostName() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  name.resize(name.find('\0'));
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

tb::Event EventNow(int64_t step) {
  tb::Event event;
  event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  event.set_step(step);
  return event;
}

std::string TfRecord(std::string_view event) {
  std::string record;
  record.reserve(event.size() + 16);
  AppendNumber(record, event.size(), 8);
  AppendChecksum(record, std::string_view(record));
  record.append(event);
  AppendChecksum(record, event);
  return record;
}

tb::Summary::Value& ValueOf(tb::Event& event, std::string_view tag) {
  tb::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(Escaped(tag, kMostTag));
  return value;
}

std::string VersionRecord() {
  tb::Event event = EventNow(0);
  event.set_file_version("brain.Event:2");
  return TfRecord(event.SerializeAsString());
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& directory, int64_t first_step) {
  const std::string name =
      fmt::format("events.out.tfevents.{:010}.{}", static_cast<int64_t>(EventNow(0).wall_time()), HostName());
  constexpr int kMost = 1000;
  for (int number = 0; file_ < 0; ++number) {
    path_ = directory / (number == 0 ? name : fmt::format("{}.{}", name, number));
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file_ < 0 && (errno != EEXIST || number == kMost)) Throw(errno, path_, "cannot create it");
  }
  try {
    Append(VersionRecord());
    if (first_step < 0) return;
    tb::Event start = EventNow(first_step);
    start.mutable_session_log()->set_status(tb::SessionLog::START);
    Append(TfRecord(start.SerializeAsString()));
  } catch (...) {
    ::close(file_);
    throw;
  }
}

EventFile::~EventFile() { ::close(file_); }

void EventFile::Append(std::string_view record) {
  std::string_view left = record;
  while (!left.empty()) {
    const ssize_t count = ::write(file_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      // A part of a record would hide all that follows it.
      if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) Throw(error, path_, "cannot write, nor take back a part");
      Throw(error, path_, "cannot write; what was logged before is kept");
    }
    left.remove_prefix(static_cast<size_t>(count));
  }
  size_ += record.size();
}

void EventFile::AddScalar(std::string_view tag, int64_t step, double value) {
  tb::Event event = EventNow(step);
  ValueOf(event, tag).set_simple_value(static_cast<float>(value));
  Append(TfRecord(event.SerializeAsString()));
}

void EventFile::AddHistogram(std::string_view tag, int64_t step, const Histogram& histogram) {
  tb::Event event = EventNow(step);
  tb::HistogramProto& proto = *ValueOf(event, tag).mutable_histo();
  proto.set_min(histogram.min());
  proto.set_max(histogram.max());
  proto.set_num(static_cast<double>(histogram.count()));
  proto.set_sum(histogram.sum());
  proto.set_sum_squares(histogram.sum_of_squares());
  proto.mutable_bucket_limit()->Assign(histogram.limits().begin(), histogram.limits().end());
  proto.mutable_bucket()->Assign(histogram.counts().begin(), histogram.counts().end());
  Append(TfRecord(event.SerializeAsString()));
}

void EventFile::AddImage(std::string_view tag, int64_t step, const GreyPicture& picture) {
  tb::Event event = EventNow(step);
  tb::Summary::Image& image = *ValueOf(event, tag).mutable_image();
  image.set_height(picture.height);
  image.set_width(picture.width);
  image.set_colorspace(1);
  image.set_encoded_image_string(std::string(picture.png));
  Append(TfRecord(event.SerializeAsString()));
}

void EventFile::AddGraph(std::string_view graph_def) {
  tb::Event event = EventNow(0);
  event.set_graph_def(std::string(graph_def));
  Append(TfRecord(event.SerializeAsString()));
}

void EventFile::AddRunMetadata(std::string_view tag, int64_t step, std::string_view run_metadata) {
  tb::Event event = EventNow(step);
  event.mutable_tagged_run_metadata()->set_tag(Escaped(tag, kMostTag));
  event.mutable_tagged_run_metadata()->set_run_metadata(std::string(run_metadata));
  Append(TfRecord(event.SerializeAsString()));
}

}  // namespace weft
