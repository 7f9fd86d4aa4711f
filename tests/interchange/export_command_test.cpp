// vae export: what it writes, and what it refuses to. That the files give the right numbers: exported_model_test.mjs.
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::Not;

class ExportTest : public ToolTest {
 protected:
  Outcome Export(const std::vector<std::string>& more) const {
    return RunTool(std::vector<std::string>{"export", "--from", model().string(), "--out", file().string()} + more);
  }
  std::filesystem::path file() const { return own_ / "part"; }
};

TEST_F(ExportTest, WritesTheDecoderAsOnnxUnlessAskedForMore) {
  const Outcome outcome = Export({});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "wrote " + file().string() + "\n");
  const std::string model = ReadFile(file());
  for (const char* text :
       {"weft", "decoder of model-16.safetensors: latent 2, hidden 16, layers 3, pictures of 28 x 28", "Decoder/Mean",
        "Decoder/Logits/W", "Gemm", "BatchNormalization"}) {
    EXPECT_THAT(model, HasSubstr(text));
  }
  EXPECT_THAT(model, Not(HasSubstr("Encoder/")));
}

TEST_F(ExportTest, WritesEachPartInEachFormatAndTheSameBytesAgain) {
  for (const char* part : {"decoder", "encoder", "reconstruction"}) {
    for (const char* format : {"onnx", "js"}) {
      for (const char* batch_norm : {"keep", "fold"}) {
        const std::vector<std::string> arguments = {"--part",       part,       "--format", format,
                                                    "--batch-norm", batch_norm, "--force"};
        SCOPED_TRACE(testing::PrintToString(arguments));
        ASSERT_EQ(Export(arguments).code, 0);
        const std::string first = ReadFile(file());
        ASSERT_EQ(Export(arguments).code, 0);
        EXPECT_EQ(ReadFile(file()), first);
        const bool is_script = std::string_view(format) == "js";
        EXPECT_EQ(first.starts_with(std::string("const ") + part + " = "), is_script);
        // Statistics are gone from what is folded.
        EXPECT_EQ(first.find("moving_variance") == std::string::npos, std::string_view(batch_norm) == "fold");
      }
    }
  }
}

TEST_F(ExportTest, ReplacesNothingUnlessForced) {
  WriteFile(file(), "precious");
  ExpectError(Export({}), 5, "part");
  EXPECT_EQ(ReadFile(file()), "precious");
  EXPECT_EQ(Export({"--force"}).code, 0);
  EXPECT_NE(ReadFile(file()), "precious");
}

TEST_F(ExportTest, RefusesWhatThereIsNot) {
  ExpectError(Export({"--part", "Decoder"}), 2,
              "--part: got 'Decoder', expected one of decoder, encoder, reconstruction");
  ExpectError(Export({"--format", "pb"}), 2, "--format: got 'pb'");
  ExpectError(Export({"--batch-norm", "drop"}), 2, "--batch-norm: got 'drop'");
  ExpectError(RunTool({"export", "--out", file().string()}), 2, "--from");
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(ExportTest, RefusesAFileWithoutThePart) {
  const auto from = Changed([](VariableStore&, Metadata&) {}, {"Encoder/**"});
  const auto export_part = [&](const char* part) {
    return RunTool({"export", "--from", from.string(), "--part", part, "--out", file().string(), "--force"});
  };
  EXPECT_EQ(export_part("decoder").code, 0);
  ExpectError(export_part("encoder"), 4, "Encoder/");
  ExpectError(export_part("reconstruction"), 4, "Encoder/");
}

}  // namespace
}  // namespace weft
