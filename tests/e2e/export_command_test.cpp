// A trained model on its way to other programs.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "kindred/image/image.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Trained once.
const std::string& trained_model() {
  static const TemporaryFolder folder;
  static const std::string model = [] {
    const auto run = kindred({"train", std::string(source_directory) + "/tests/e2e/tiny.toml", "--run-dir",
                              (folder / "run").string(), "-q"},
                             folder.path());
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    return (folder / "run/model/model.safetensors").string();
  }();
  return model;
}

Outcome exported(const TemporaryFolder& folder, const std::string& format, const std::string& name,
                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"export", "--weights", trained_model(),         "--to",
                                    format,   "--out",     (folder / name).string()};
  words.insert(words.end(), more.begin(), more.end());
  return kindred(words, folder.path());
}

/// Files that are not what the test's helpers leave: none is hidden, and none half written.
std::size_t exported_files(const TemporaryFolder& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.') || entry.path().extension() == ".onnx" || entry.path().extension() == ".pt")
      ++count;
  }
  return count;
}

bool has_onnx_plugin() {
  return fs::exists(fs::path(build_directory) / "lib/kindred/plugins/onnx.so");
}

std::string python_program() {
  const char* given = std::getenv("KINDRED_PYTHON");
  return given == nullptr ? "python3" : given;
}

bool has_packages(const std::string& names) {
  const auto command = "'" + python_program() + "' -c 'import " + names + "' > /dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

void write_picture(const fs::path& file, cv::Size size) {
  cv::Mat coarse(6, 5, CV_8UC3);
  cv::RNG(5).fill(coarse, cv::RNG::UNIFORM, 0, 256);
  cv::Mat image;
  cv::resize(coarse, image, size, 0, 0, cv::INTER_CUBIC);
  write_image(file, image);
}

TEST_CASE("a TorchScript file is written and compared, in any form, and never over another") {
  const TemporaryFolder folder;
  const auto plain = exported(folder, "torchscript", "model.pt");
  CHECK_MESSAGE(plain.exit_code == 0, plain.err);
  CHECK(says(plain.out, "images [batch, 3, 48, 24] float32 -> output [batch, 64] float32"));
  CHECK(says(plain.out, "resized to 24 x 48 pixels (width x height), linear (OpenCV's INTER_LINEAR)"));
  CHECK(says(plain.out, "minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225)"));
  CHECK(says(plain.out, "verified by LibTorch "));
  CHECK(says(plain.out, "on 8 random images: cosine at least "));
  CHECK(exported_files(folder) == 1);

  const auto before = read_bytes(folder / "model.pt");
  const auto again = exported(folder, "torchscript", "model.pt");
  CHECK(again.exit_code == 1);
  CHECK(says(again.err, "model.pt: error: already exists; choose another name, or delete it first"));
  CHECK(read_bytes(folder / "model.pt") == before);

  const auto raw = exported(folder, "torchscript", "raw.pt", {"--with-preprocessing", "--batch", "3"});
  CHECK_MESSAGE(raw.exit_code == 0, raw.err);
  CHECK(says(raw.out, "images [3, height, width, 3] uint8 -> output [3, 64] float32"));
  CHECK(says(raw.out, "verified by LibTorch "));
  CHECK_FALSE(says(raw.out, "resized to"));

  const auto flipped = exported(folder, "torchscript", "flipped.pt", {"--set", "embed.flip_test=true"});
  CHECK_MESSAGE(flipped.exit_code == 0, flipped.err);
  CHECK(says(flipped.out, "verified by LibTorch "));
  CHECK(exported_files(folder) == 3);
}

TEST_CASE("own images can be compared on") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "people");
  write_picture(folder / "people/a.png", {40, 90});
  write_picture(folder / "people/b.png", {64, 128});
  const auto done = exported(folder, "torchscript", "model.pt", {"--images", (folder / "people").string()});
  CHECK_MESSAGE(done.exit_code == 0, done.err);
  CHECK(says(done.out, "on 2 images: cosine"));
  fs::create_directory(folder / "empty");
  const auto none = exported(folder, "torchscript", "other.pt", {"--images", (folder / "empty").string()});
  CHECK(none.exit_code == 1);
  CHECK(says(none.err, "there are no images to compare on"));
  CHECK(exported_files(folder) == 1);
}

TEST_CASE("an ONNX file is compared by ONNX Runtime where a Python has it") {
  if (!has_onnx_plugin()) {
    MESSAGE("left out: Kindred was built without the plugin onnx");
    return;
  }
  const TemporaryFolder folder;
  const bool runs = has_packages("numpy, onnxruntime");
  const std::string expected = runs ? "verified by ONNX Runtime " : "NOT verified: ";
  if (!runs) MESSAGE("not compared: " << python_program() << " has no onnxruntime");
  struct Case {
    std::string name;
    std::vector<std::string> options;
    std::string shapes;
  };
  const std::vector<Case> cases = {
      {"any.onnx", {}, "images [batch, 3, 48, 24] float32 -> output [batch, 64] float32"},
      {"four.onnx", {"--batch", "4"}, "images [4, 3, 48, 24] float32 -> output [4, 64] float32"},
      {"raw.onnx",
       {"--with-preprocessing"},
       "images [batch, height, width, 3] uint8 -> output [batch, 64] float32"},
      {"half.onnx",
       {"--precision", "fp16"},
       "images [batch, 3, 48, 24] float32 -> output [batch, 64] float32"},
      {"smooth.onnx",
       {"--with-preprocessing", "--set", "augmentation.resize.antialias=true"},
       "images [batch, height, width, 3] uint8 -> output [batch, 64] float32"}};
  for (const auto& item : cases) {
    CAPTURE(item.name);
    const auto done = exported(folder, "onnx", item.name, item.options);
    CHECK_MESSAGE(done.exit_code == 0, done.err);
    CHECK(says(done.out, item.shapes));
    CHECK_MESSAGE(says(done.out, expected), done.out);
  }
  CHECK(exported_files(folder) == cases.size());
  CHECK(fs::file_size(folder / "half.onnx") < 0.6 * static_cast<double>(fs::file_size(folder / "any.onnx")));
  if (!runs) return;
  // What a tracker does with it, unchanged.
  if (!has_packages("PIL")) {
    MESSAGE("left out: " << python_program() << " has no Pillow, by which boxmot_features.py reads a frame");
    return;
  }
  write_picture(folder / "frame.png", {200, 120});
  const auto script = std::string(source_directory) + "/tools/deploy/boxmot_features.py";
  const auto out = folder / "features.txt";
  const auto extract = [&](const std::string& name, const std::string& boxes) {
    const auto command = "'" + python_program() + "' '" + script + "' '" + (folder / name).string() + "' '" +
                         (folder / "frame.png").string() + "' " + boxes + " > '" + out.string() + "' 2>&1";
    return std::system(command.c_str());
  };
  for (const auto* name : {"any.onnx", "four.onnx"}) {
    CHECK(extract(name, "5,5,45,100 5,5,45,100 100,10,150,110") == 0);
    const auto text = read_bytes(out);
    CHECK(says(text, "3 x 64"));
    const bool same_box = says(text, "0.0000 0.0000 0.") || says(text, "-0.0000 -0.0000 0.");
    CHECK_MESSAGE(same_box, text);
  }
  for (const auto* box : {"5,-100,45,-10", "-40,5,-10,100", "300,5,400,100"}) {
    CHECK(extract("any.onnx", box) != 0);
    CHECK(says(read_bytes(out), std::string("the box ") + box + " is outside of the frame of 200 x 120"));
  }
}

TEST_CASE("without ONNX Runtime the command says that nothing was compared") {
  if (!has_onnx_plugin()) {
    MESSAGE("left out: Kindred was built without the plugin onnx");
    return;
  }
  const TemporaryFolder folder;
  const auto before =
      std::getenv("KINDRED_PYTHON") == nullptr ? std::string() : std::string(std::getenv("KINDRED_PYTHON"));
  setenv("KINDRED_PYTHON", "no-such-python", 1);
  const auto done = exported(folder, "onnx", "model.onnx");
  if (before.empty()) {
    unsetenv("KINDRED_PYTHON");
  } else {
    setenv("KINDRED_PYTHON", before.c_str(), 1);
  }
  CHECK_MESSAGE(done.exit_code == 0, done.err);
  CHECK(says(done.out, "NOT verified: there is no program 'no-such-python'; install ONNX Runtime"));
  CHECK(exported_files(folder) == 1);
}

TEST_CASE("what cannot be exported as asked leaves no file, and the message says why") {
  const TemporaryFolder folder;
  struct Case {
    std::vector<std::string> words;
    int exit_code;
    std::string message;
  };
  const auto out = (folder / "model.pt").string();
  const auto words = [&](const std::string& format, const std::string& file,
                         const std::vector<std::string>& more) {
    std::vector<std::string> all = {"export", "--weights", trained_model(), "--to", format, "--out", file};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::vector<Case> cases = {
      {words("torchscript", out, {"--batch", "0"}), 2,
       "'0' is not allowed; say 'dynamic' or a number of images from 1 to 4096"},
      {words("torchscript", out, {"--batch", "two"}), 2, "'two' is not allowed"},
      {words("torchscript", out, {"--precision", "int8"}), 2, "--precision"},
      {words("caffe", out, {}), 2, "unknown exporter 'caffe'"},
      {words("torchscript", (folder / "model.onnx").string(), {}), 2,
       "files of the format 'torchscript' end in '.pt'"},
      {words("torchscript", out, {"--set", "augmentation.resize.enabled=false"}), 1,
       "does not bring images to one size"},
      {{"export", "--weights", (folder / "none.safetensors").string(), "--to", "torchscript", "--out", out},
       1,
       "none.safetensors"},
      {words("torchscript", "/proc/none/model.pt", {}), 1, "/proc/none"}};
  for (const auto& item : cases) {
    CAPTURE(item.message);
    const auto done = kindred(item.words, folder.path());
    CHECK(done.exit_code == item.exit_code);
    CHECK_MESSAGE(says(done.out + done.err, item.message), (done.out + done.err));
  }
  CHECK(exported_files(folder) == 0);
}

}  // namespace
}  // namespace kindred::test
