#include "file/file_kind.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <torch/torch.h>

#include <string>

#include "file/safetensors.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;
using namespace std::string_literals;

TEST_CASE("a file is told by its content, not by its name") {
  const TemporaryFolder folder;
  const auto of = [&](const std::string& content) { return file_kind(folder.write("recipe.toml", content)); };
  CHECK((of("") == FileKind::empty));
  CHECK((of("[train]\nepochs = 3\n") == FileKind::text));
  CHECK((of("\x93NUMPY\x01\x00"s) == FileKind::npy));
  CHECK((of("\x08\x07\x12\x07pytorch") == FileKind::onnx));
  CHECK((of("\xff\xd8\xff\xe0\x00\x10JFIF"s) == FileKind::image));
  CHECK((of("\x89PNG\r\n\x1a\n") == FileKind::image));
  CHECK((of("\x00\x01\x02\x03"s) == FileKind::other));
  CHECK((of("\x80\x02}q\x00."s) == FileKind::torch));
  CHECK((of("BMW = 3\n") == FileKind::text));
}

TEST_CASE("PyTorch's files and safetensors are told apart, and Kindred's own from others'") {
  const std::string golden = std::string(golden_directory) + "/weights/";
  CHECK((file_kind(golden + "resnet.pth") == FileKind::torch));
  CHECK((file_kind(golden + "resnet_legacy.pth") == FileKind::torch));
  CHECK((file_kind(golden + "script.pth") == FileKind::torch_script));
  const TemporaryFolder folder;
  const auto with = [&](const std::string& key) {
    TensorFile content{{{"x", torch::ones(2)}}, {}};
    if (!key.empty()) content.metadata[key] = "1";
    write_safetensors(folder / "x", content);
    return file_kind(folder / "x");
  };
  CHECK((with("") == FileKind::safetensors));
  CHECK((with("kindred.recipe") == FileKind::model));
  CHECK((with("kindred.checkpoint") == FileKind::checkpoint));
}

TEST_CASE("what is no file, and what only begins like one, is told, too, and nothing hangs") {
  const TemporaryFolder folder;
  CHECK((file_kind(folder / "none") == FileKind::missing));
  CHECK((file_kind(folder.path()) == FileKind::folder));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK((file_kind(folder / "pipe") == FileKind::special));
  CHECK((file_kind(folder.write("cut", "PK\x03\x04 and no more")) == FileKind::other));
  CHECK((file_kind(folder.write("cut", "\x10\0\0\0\0\0\0\0{"s)) == FileKind::other));
  // A folder in the way is no folder: that cannot be looked into.
  CHECK((file_kind(folder.write("file", "x") / "inside") == FileKind::missing));
}

TEST_CASE("each kind has words") {
  for (int kind = 0; kind <= static_cast<int>(FileKind::other); ++kind) {
    CHECK_FALSE(description_of(static_cast<FileKind>(kind)).empty());
  }
}
