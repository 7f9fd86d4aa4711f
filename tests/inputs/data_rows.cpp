// Rows 16 to 34: files of examples. What is wrong within a file is listed beside the reader's own tests.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "weft/tests/examples/bad_idx_files.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/inputs/rows.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImages = "train-images-idx3-ubyte";
constexpr const char* kLabels = "train-labels-idx1-ubyte";
constexpr const char* kTestImages = "t10k-images-idx3-ubyte";

void WriteBytes(const fs::path& path, const Bytes& bytes) {
  WriteFile(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Bytes ReadBytes(const fs::path& path) {
  const std::string text = ReadFile(path);
  return {text.begin(), text.end()};
}

// A training on a data set of its own, after `damage`, that never begins.
ToolCase Damaged(int row, std::string name, std::string message,
                 const std::function<void(const fs::path& data)>& damage) {
  return {.row = row,
          .name = std::move(name),
          .arguments = {"train", "--data", "{own}", "--validation", "50", "--out", "{own}/out"},
          .code = 3,
          .message = std::move(message),
          .prepare = [damage](const Place& place) {
            for (const char* split : {"train", "t10k"}) {
              for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"})
                fs::copy_file(place.data / (std::string(split) + kind), place.own / (std::string(split) + kind));
            }
            damage(place.own);
          }};
}

// An evaluation of the model on a test set after `change`, which is accepted or not.
ToolCase Evaluated(int row, std::string name, std::string message,
                   const std::function<void(const fs::path& data)>& change, int code = 0) {
  ToolCase each = Damaged(row, std::move(name), std::move(message), change);
  each.arguments = {"evaluate", "--from", "{model}", "--data", "{own}"};
  each.code = code;
  return each;
}

std::vector<ToolCase> PlacesOfFiles() {
  std::vector<ToolCase> cases = {
      Damaged(16, "a file that is missing", "missing file: {own}/train-images-idx3-ubyte: got nothing of this name",
              [](const fs::path& data) { fs::remove(data / kImages); }),
      Damaged(16, "a directory", "not a regular file: {own}/train-images-idx3-ubyte: got a directory",
              [](const fs::path& data) { fs::remove(data / kImages), fs::create_directory(data / kImages); }),
      Damaged(16, "a FIFO", "not a regular file: {own}/train-images-idx3-ubyte: got a FIFO",
              [](const fs::path& data) { fs::remove(data / kImages), mkfifo((data / kImages).c_str(), 0600); }),
      Damaged(
          16, "a device", "not a regular file: {own}/train-images-idx3-ubyte: got a character device",
          [](const fs::path& data) { fs::remove(data / kImages), fs::create_symlink("/dev/zero", data / kImages); }),
      Damaged(16, "a loop of links",
              "cannot open: {own}/train-images-idx3-ubyte: got 'Too many levels of symbolic links'",
              [](const fs::path& data) { fs::remove(data / kImages), fs::create_symlink(kImages, data / kImages); }),
      Damaged(16, "no permission", "cannot open: {own}/train-images-idx3-ubyte: got 'Permission denied'",
              [](const fs::path& data) { chmod((data / kImages).c_str(), 0), chmod(data.c_str(), 0755); }),
  };
  cases.back().change = [](Launch& launch) {  // the superuser may read everything
    launch.in_child = [] {
      constexpr uid_t kNobody = 65534;
      [[maybe_unused]] const bool is_nobody = geteuid() != 0 || setuid(kNobody) == 0;
    };
  };
  cases.back().check = [](const Place& place) { chmod((place.own / kImages).c_str(), 0600); };
  return cases;
}

std::vector<ToolCase> PairsOfFiles() {
  return {
      Damaged(19, "images and labels swapped", "images and labels are swapped: {own}/train-images-idx3-ubyte",
              [](const fs::path& data) {
                fs::rename(data / kImages, data / "other");
                fs::rename(data / kLabels, data / kImages);
                fs::rename(data / "other", data / kLabels);
              }),
      Damaged(25, "other numbers of images and labels",
              "images and labels differ in number: {own}/train-images-idx3-ubyte and {own}/train-labels-idx1-ubyte: "
              "got 300 "
              "images and 2 labels",
              [](const fs::path& data) { WriteBytes(data / kLabels, TwoLabels()); }),
      Damaged(26, "training and test images of other sizes",
              "images do not fit the model: {own}: got 20×20, expected 28×28 at node InputData/X",
              [](const fs::path& data) { WriteSmallSplit(data, "t10k", 10, 20); }),
      Evaluated(
          26, "images of another size than the model's", "got 20×20, expected 28×28 at node InputData/X",
          [](const fs::path& data) { WriteSmallSplit(data, "t10k", 10, 20); }, 3),
  };
}

// What is read, by its content.
std::vector<ToolCase> AcceptedFiles() {
  const auto packed_in_two = [](const fs::path& data) {
    const Bytes all = ReadBytes(data / kTestImages);
    const Bytes rest(all.begin() + 1000, all.end());
    WriteBytes(data / kTestImages, Gzip(First(all, 1000)) + Gzip(rest));
  };
  return {
      Evaluated(31, "a gzip file of two members", "negative ELBO", packed_in_two),
      Evaluated(32, "a plain name of gzip content", "negative ELBO…t10k-images-idx3-ubyte: plain name, gzip content",
                [](const fs::path& data) { WriteBytes(data / kTestImages, Gzip(ReadBytes(data / kTestImages))); }),
      Evaluated(
          32, "a gzip name of plain content", "negative ELBO…t10k-images-idx3-ubyte.gz: gzip name, plain content",
          [](const fs::path& data) { fs::rename(data / kTestImages, data / (std::string(kTestImages) + ".gz")); }),
  };
}

// Notes go to stderr before results go to stdout; the outcome shows stdout first.
ToolCase SameImages() {
  ToolCase same =
      Damaged(34, "the same images for training and test",
              "warning: images: {own}: got the same for training and test, expected others", [](const fs::path& data) {
                for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"}) {
                  fs::remove(data / (std::string("t10k") + kind));
                  fs::create_symlink(data / (std::string("train") + kind), data / (std::string("t10k") + kind));
                }
              });
  same.arguments = {"train",        "--data", "{own}",    "--hidden", "16",    "--batch",  "32",
                    "--validation", "50",     "--epochs", "1",        "--out", "{own}/out"};
  same.code = 0;
  same.writes = true;
  return same;
}

}  // namespace

std::vector<ToolCase> DataRows() {
  std::vector<ToolCase> cases = PlacesOfFiles();
  // The same sentences that the reader gives, at the end of a process.
  for (const BadIdxFile& file : BadIdxFiles()) {
    const std::string name = file.labels ? kLabels : kImages;
    cases.push_back(Damaged(file.row, file.name, file.what + ": {own}/" + name + ": " + file.got,
                            [file, name](const fs::path& data) { WriteBytes(data / name, file.bytes); }));
  }
  for (const auto& more : {PairsOfFiles(), AcceptedFiles()}) cases.insert(cases.end(), more.begin(), more.end());
  cases.push_back(SameImages());
  return cases;
}

}  // namespace weft
