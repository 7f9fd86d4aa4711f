// The JSON of the Trace Event Format.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "weft/exporters/step_figures.h"
#include "weft/exporters/trace.h"

namespace weft {
namespace {

using Json = nlohmann::ordered_json;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr int kProcess = 1, kRunRow = 0;

// When a step began and ended, over all its pieces, and which of them did.
struct Span {
  const TracedPiece* first = nullptr;
  const TracedPiece* last = nullptr;
};

class TraceWriter {
 public:
  explicit TraceWriter(const RunTrace& trace) : runs_(trace.Runs()) {}

  std::string Write() {
    Name("process_name", kRunRow, "weft");
    Name("thread_name", kRunRow, "runs");
    for (size_t run = 0; run < runs_.size(); ++run) WriteRun(run);
    return "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n" + events_ + "\n]}\n";
  }

 private:
  void Add(const Json& event) {
    if (!events_.empty()) events_ += ",\n";
    events_ += event.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  void Name(const char* what, int row, const std::string& name) {
    Add({{"ph", "M"}, {"name", what}, {"pid", kProcess}, {"tid", row}, {"args", {{"name", name}}}});
  }

  double Micros(TimePoint time) const {
    return std::chrono::duration<double, std::micro>(time - runs_.front().begun).count();
  }

  // Rows of threads are numbered as they come.
  int RowOf(std::thread::id thread) {
    const auto [found, is_new] = rows_.try_emplace(thread, static_cast<int>(rows_.size()) + 1);
    if (is_new) Name("thread_name", found->second, "thread " + std::to_string(found->second));
    return found->second;
  }

  void WriteRun(size_t number) {
    const TracedRun& run = runs_[number];
    const std::vector<StepFigures> figures = StepFiguresOf(*run.program);
    std::vector<Span> spans(run.program->steps.size());
    TimePoint end = run.begun;
    for (const TracedPiece& piece : run.pieces) {
      WritePiece(number, piece, figures[piece.ran.step]);
      Span& span = spans[piece.ran.step];
      if (span.first == nullptr || piece.ran.started < span.first->ran.started) span.first = &piece;
      if (span.last == nullptr || piece.ran.ended > span.last->ran.ended) span.last = &piece;
      end = std::max(end, piece.ran.ended);
    }
    Add({{"ph", "X"},
         {"name", "run " + std::to_string(number)},
         {"cat", "run"},
         {"ts", Micros(run.begun)},
         {"dur", Micros(end) - Micros(run.begun)},
         {"pid", kProcess},
         {"tid", kRunRow},
         {"args", {{"run", number}, {"steps", run.program->steps.size()}, {"arena_bytes", run.program->arena_bytes}}}});
    WriteArrows(*run.program, spans);
    WriteLiveBytes(run, spans, end);
  }

  void WritePiece(size_t run, const TracedPiece& piece, const StepFigures& figures) {
    const Program& program = *runs_[run].program;
    const Step& step = program.steps[piece.ran.step];
    Add({{"ph", "X"},
         {"name", program.graph.name(step.origin).str()},
         {"cat", KindOf(program, step, figures)},
         {"ts", Micros(piece.ran.started)},
         {"dur", Micros(piece.ran.ended) - Micros(piece.ran.started)},
         {"pid", kProcess},
         {"tid", RowOf(piece.thread)},
         {"args",
          {{"run", run},
           {"step", piece.ran.step},
           {"blocks", Json::array({piece.ran.begin, piece.ran.end, step.blocks})},
           {"shape", ToString(program.graph.type(step.origin))},
           {"bytes", figures.bytes},
           {"flops", figures.flops}}}});
  }

  // From the last step before it that wrote the buffer to each step that reads it.
  void WriteArrows(const Program& program, const std::vector<Span>& spans) {
    std::vector<StepId> writer(program.buffers.size(), kNoStep);
    std::set<std::pair<StepId, StepId>> drawn;
    for (StepId id = 0; id < program.steps.size(); ++id) {
      for (const BufferId read : program.steps[id].reads) {
        const StepId from = writer[read];
        if (from == kNoStep || from == id || spans[from].last == nullptr || spans[id].first == nullptr) continue;
        if (drawn.insert({from, id}).second) WriteArrow(spans[from].last, spans[id].first);
      }
      for (const BufferId write : program.steps[id].writes) writer[write] = id;
    }
  }

  // Both ends lie within their pieces: an arrow belongs to the piece that is there at its time.
  void WriteArrow(const TracedPiece* from, const TracedPiece* to) {
    const double begin = Micros(from->ran.started), end = Micros(from->ran.ended);
    Json arrow = {{"ph", "s"},
                  {"name", "data"},
                  {"cat", "data"},
                  {"id", ++arrows_},
                  {"pid", kProcess},
                  {"tid", RowOf(from->thread)},
                  {"ts", end - std::min((end - begin) / 2, 0.001)}};
    Add(arrow);
    arrow["ph"] = "f";
    arrow["bp"] = "e";
    arrow["tid"] = RowOf(to->thread);
    arrow["ts"] = Micros(to->ran.started);
    Add(arrow);
  }

  // Of the arena: buffers that share bytes count once.
  void WriteLiveBytes(const TracedRun& run, const std::vector<Span>& spans, TimePoint end) {
    const Program& program = *run.program;
    std::vector<std::pair<TimePoint, TimePoint>> lives(program.buffers.size(), {TimePoint::max(), TimePoint::min()});
    for (const ProgramInput& input : program.inputs) lives[input.buffer] = {run.begun, end};
    for (const BufferId output : program.outputs) lives[output].second = end;
    for (StepId id = 0; id < spans.size(); ++id) {
      if (spans[id].first == nullptr) continue;
      for (const BufferId write : program.steps[id].writes)
        lives[write].first = std::min(lives[write].first, spans[id].first->ran.started);
      for (const auto* used : {&program.steps[id].reads, &program.steps[id].writes}) {
        for (const BufferId buffer : *used)
          lives[buffer].second = std::max(lives[buffer].second, spans[id].last->ran.ended);
      }
    }
    std::set<TimePoint> changes;
    for (BufferId id = 0; id < lives.size(); ++id) {
      if (program.buffers[id].kind != BufferKind::kArena || lives[id].first > lives[id].second) continue;
      changes.insert({lives[id].first, lives[id].second});
    }
    for (const TimePoint time : changes) {
      Add({{"ph", "C"},
           {"name", "live bytes"},
           {"ts", Micros(time)},
           {"pid", kProcess},
           {"args", {{"arena", BytesAt(program, lives, time)}}}});
    }
  }

  static int64_t BytesAt(const Program& program, const std::vector<std::pair<TimePoint, TimePoint>>& lives,
                         TimePoint time) {
    std::vector<std::pair<int64_t, int64_t>> ranges;  // begin, end
    for (BufferId id = 0; id < lives.size(); ++id) {
      const Buffer& buffer = program.buffers[id];
      if (buffer.kind == BufferKind::kArena && lives[id].first <= time && time < lives[id].second)
        ranges.emplace_back(buffer.offset, buffer.offset + buffer.bytes);
    }
    std::ranges::sort(ranges);
    int64_t bytes = 0, covered = 0;
    for (const auto& [begin, end] : ranges) {
      bytes += std::max<int64_t>(0, end - std::max(begin, covered));
      covered = std::max(covered, end);
    }
    return bytes;
  }

  std::vector<TracedRun> runs_;
  std::string events_;
  std::map<std::thread::id, int> rows_;
  int arrows_ = 0;
};

}  // namespace

std::string ToTraceJson(const RunTrace& trace) { return TraceWriter(trace).Write(); }

}  // namespace weft
