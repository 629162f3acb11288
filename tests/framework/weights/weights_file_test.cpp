#include "weights/weights_file.h"

#include <cstddef>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "file/checksum.h"
#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

fs::path golden(const std::string& name) {
  return fs::path(golden_directory) / "weights" / name;
}

}  // namespace

TEST_CASE("the format is told by the content, whatever the name") {
  const TemporaryFolder folder;
  file::write_safetensors(folder / "a.pth", {{{"x", torch::ones(2)}}, {}});
  fs::copy_file(golden("resnet.pth"), folder / "b.safetensors");
  fs::copy_file(golden("resnet_legacy.pth"), folder / "c");
  CHECK(read_weights_file(folder / "a.pth").format == "safetensors");
  CHECK(read_weights_file(folder / "b.safetensors").format == "PyTorch");
  CHECK(read_weights_file(folder / "c").format == "PyTorch before 1.6");
}

TEST_CASE("both formats of PyTorch hold the same tensors") {
  const auto zip = read_weights_file(golden("resnet.pth"));
  const auto legacy = read_weights_file(golden("resnet_legacy.pth"));
  REQUIRE(zip.content.tensors.size() == legacy.content.tensors.size());
  for (std::size_t i = 0; i < zip.content.tensors.size(); ++i) {
    CHECK(zip.content.tensors[i].first == legacy.content.tensors[i].first);
    CHECK(torch::equal(zip.content.tensors[i].second, legacy.content.tensors[i].second));
  }
}

TEST_CASE("the weights under a key are a dictionary's, or those whose names begin with it") {
  CHECK(read_weights_file(golden("teacher_student.pth"), "student").dictionary == "student");
  const TemporaryFolder folder;
  file::write_safetensors(folder / "flat",
                          {{{"teacher.x", torch::ones(2)}, {"student.x", torch::ones(3)}}, {}});
  const auto file = read_weights_file(folder / "flat", "student");
  CHECK(file.dictionary == "student");
  REQUIRE(file.content.tensors.size() == 1);
  CHECK(file.content.tensors[0].first == "x");
  CHECK(file.content.tensors[0].second.numel() == 3);
  CHECK(message_of<DataError>([&] {
          static_cast<void>(read_weights_file(folder / "flat", "ema"));
        }).find("has no tensors under the key 'ema'; it contains 'teacher' and 'student'") !=
        std::string::npos);
  CHECK(message_of<DataError>([&] {
          static_cast<void>(read_weights_file(golden("checkpoint.pth"), "ema"));
        }).find("has no tensors under the key 'ema'; it contains 'state_dict', 'epoch'") !=
        std::string::npos);
}

TEST_CASE("of many keys twenty are named") {
  const TemporaryFolder folder;
  file::TensorFile many;
  for (char name = 'a'; name <= 'z'; ++name) {
    for (const char* rest : {".x", ".y"}) many.tensors.emplace_back(name + std::string(rest), torch::ones(2));
  }
  file::write_safetensors(folder / "many", many);
  const auto message =
      message_of<DataError>([&] { static_cast<void>(read_weights_file(folder / "many", "ema")); });
  CHECK(message.find("it contains 'a', 'b', ") != std::string::npos);
  CHECK(message.ends_with("'s' and 't'"));
}

TEST_CASE("what is no file of weights is refused as such") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& content) {
    const auto file = folder.write("x", content);
    return message_of<DataError>([&] { static_cast<void>(read_weights_file(file)); });
  };
  for (const auto* content : {"", "text", "12345678 and more", "\x80\x04K\x01."}) {
    CHECK(refusal(content).find("not a weight file: neither safetensors nor a file of torch.save") !=
          std::string::npos);
  }
  CHECK(refusal("\x08\x07\x12\x07pytorch").find("is an ONNX file, not a weight file") != std::string::npos);
  CHECK(refusal("\x93NUMPY...").find("is a NumPy file, not a weight file") != std::string::npos);
  file::write_safetensors(folder / "empty", {});
  CHECK_THROWS_WITH_AS(static_cast<void>(read_weights_file(folder / "empty")),
                       doctest::Contains("contains no tensors"), DataError);
}

TEST_CASE("a damaged model of Kindred's is found by its checksum") {
  const TemporaryFolder folder;
  file::TensorFile content{{{"head.x", torch::ones(4)}}, {}};
  file::add_checksum(content);
  content.tensors[0].second = torch::zeros(4);
  file::write_safetensors(folder / "m", content);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_weights_file(folder / "m")),
                       doctest::Contains("is damaged: its checksum is"), DataError);
}
