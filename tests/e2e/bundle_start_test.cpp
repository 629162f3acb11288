// The scripts of a bundle: how a program finds LibTorch, and which libraries a bundle takes along.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

const std::filesystem::path scripts = std::filesystem::path(source_directory) / "tools/bundle";

void make_executable(const std::filesystem::path& file) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

/// A bundle for PyTorch 2.11.0 whose program prints what it is started with.
class FakeBundle {
 public:
  FakeBundle() {
    folder_.write("bundle/share/kindred/torch-version", "2.11.0\n");
    make_executable(folder_.write("bundle/bin/kindred", read_bytes(scripts / "start.sh")));
    folder_.write("bundle/libexec/torch.sh", read_bytes(scripts / "torch.sh"));
    make_executable(folder_.write("bundle/libexec/kindred",
                                  "#!/bin/sh\n"
                                  "echo \"libraries $LD_LIBRARY_PATH\"\n"
                                  "for word; do echo \"word $word\"; done\n"
                                  "exit 7\n"));
    make_executable(folder_.write("no_python/python3", "#!/bin/sh\nexit 1\n"));
  }

  /// A package torch as pip unpacks it.
  std::filesystem::path package(const std::string& place, const std::string& version) const {
    folder_.write(place + "/torch/lib/libtorch.so", "");
    folder_.write(place + "/torch/share/cmake/Torch/TorchConfig.cmake", "");
    folder_.write(place + "/torch/version.py",
                  "from typing import Optional\n\n__version__ = '" + version + "'\ndebug = False\n");
    return folder_ / (place + "/torch");
  }

  /// Starts the bundle's program with nothing else in the environment; python3 finds no torch unless told.
  Outcome start(std::vector<std::string> arguments, const std::vector<std::string>& environment = {},
                const std::string& program = "bundle/bin/kindred") const {
    std::vector<std::string> command{"/usr/bin/env", "-i",
                                     "PATH=" + (folder_ / "no_python").string() + ":/usr/bin:/bin"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.push_back((folder_ / program).string());
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto outcome = Program(std::move(command), folder_.path()).wait();
    outcome.out = folder_.without(outcome.out);
    outcome.err = folder_.without(outcome.err);
    return outcome;
  }

  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a bundle takes LibTorch from the folder named first, and passes on everything else") {
  const FakeBundle bundle;
  bundle.package("venv/lib/python3.12/site-packages", "2.11.0+cu130");
  const auto venv = (bundle.folder() / "venv").string();
  const std::string libraries = "libraries venv/lib/python3.12/site-packages/torch/lib";

  const auto named = bundle.start({"--torch", venv, "embed", "--data", "two words", "--torch", "x"});
  CHECK(named.exit_code == 7);
  CHECK(named.out == libraries + "\nword embed\nword --data\nword two words\nword --torch\nword x\n");
  CHECK(named.err.empty());
  CHECK(bundle.start({"--torch=" + venv, "list"}).out == libraries + "\nword list\n");
  CHECK(bundle.start({"list"}, {"KINDRED_TORCH=" + venv}).out == libraries + "\nword list\n");
  // The option is nearer than the variable, and the user's own libraries come after those of the package.
  CHECK(bundle.start({"--torch", venv}, {"KINDRED_TORCH=/nowhere", "LD_LIBRARY_PATH=/opt/own"}).out ==
        libraries + ":/opt/own\n");
}

TEST_CASE("a bundle's folder of LibTorch may be named by any of its names") {
  const FakeBundle bundle;
  const auto package = bundle.package("packages", "2.11.0");
  bundle.folder().write("archive/libtorch/lib/libtorch.so", "");
  bundle.folder().write("archive/libtorch/build-version", "2.11.0+cpu\n");
  for (const auto& folder : {package, bundle.folder() / "packages", package / "share/cmake"}) {
    CAPTURE(folder);
    CHECK(bundle.start({"--torch", folder.string()}).out == "libraries packages/torch/lib\n");
  }
  for (const auto* folder : {"archive", "archive/libtorch"}) {
    CAPTURE(folder);
    CHECK(bundle.start({"--torch", (bundle.folder() / folder).string()}).out ==
          "libraries archive/libtorch/lib\n");
  }
}

TEST_CASE("a bundle asks python3 for the place of torch and does not import it") {
  const FakeBundle bundle;
  const auto package = bundle.package("packages", "2.11.0+cpu");
  bundle.folder().write("packages/torch/__init__.py", "raise SystemExit('imported')\n");
  const auto outcome = bundle.start({"list"}, {"PATH=/usr/local/bin:/usr/bin:/bin",
                                               "PYTHONPATH=" + (bundle.folder() / "packages").string()});
  CHECK(outcome.out == "libraries packages/torch/lib\nword list\n");
  CHECK(outcome.err.empty());
}

TEST_CASE("a bundle refuses another PyTorch with both versions and the way out") {
  const FakeBundle bundle;
  const auto package = bundle.package("packages", "2.13.0+cpu");
  const auto outcome = bundle.start({"--torch", package.string(), "list"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK(
      outcome.err ==
      "error: packages/torch is PyTorch 2.13.0+cpu, but this Kindred was built for 2.11.0 and fits no other; "
      "install it (python3 -m venv ~/torch && ~/torch/bin/pip install torch==2.11.0) and name its folder: "
      "--torch ~/torch before all else, or KINDRED_TORCH=~/torch\n");
  bundle.folder().write("packages/torch/version.py", "");
  CHECK(contains(bundle.start({"--torch", package.string()}).err,
                 "packages/torch is PyTorch of an unknown version, but"));
}

TEST_CASE("a bundle without LibTorch says where it looked") {
  const FakeBundle bundle;
  const auto none = bundle.start({"list"});
  CHECK(none.exit_code == 1);
  CHECK(contains(none.err, "error: no PyTorch was found: the python3 on the PATH has no package torch"));
  CHECK(contains(none.err, "pip install torch==2.11.0"));
  const auto empty = bundle.start({"list"}, {"KINDRED_TORCH=/etc"});
  CHECK(empty.exit_code == 1);
  CHECK(contains(empty.err, "error: KINDRED_TORCH=/etc: no lib/libtorch.so is there"));
  const auto unnamed = bundle.start({"--torch"});
  CHECK(unnamed.exit_code == 2);
  CHECK(contains(unnamed.err, "error: --torch needs the folder"));
}

TEST_CASE("a bundle's program starts through a link of another name") {
  const FakeBundle bundle;
  const auto package = bundle.package("packages", "2.11.0");
  std::filesystem::create_directory(bundle.folder() / "home");
  std::filesystem::create_symlink("../bundle/bin/kindred", bundle.folder() / "home/reid");
  CHECK(bundle.start({"--torch", package.string()}, {}, "home/reid").out == "libraries packages/torch/lib\n");
}

TEST_CASE("a bundle takes every library but LibTorch's and the system's") {
  const TemporaryFolder folder;
  // A folder with the names of LibTorch's libraries that the launcher needs stands for LibTorch.
  const std::string torch = (folder / "torch").string();
  std::filesystem::create_directory(torch);
  const auto outcome =
      Program({"/bin/bash", "-c",
               "set -eu\n"
               "objdump -p \"$1\" | awk '$1 == \"NEEDED\" { print $2 }' | grep -E "
               "'^lib(torch|torch_cpu|c10)\\.so' | while read -r name; do : >\"$2/$name\"; done\n"
               "exec \"$0\" \"$2\" \"$1\"\n",
               (scripts / "libraries.sh").string(), launcher, torch},
              folder.path())
          .wait();
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  // libfmt is needed by libspdlog alone.
  for (const auto* taken : {"/libkindred_plugin_api.so.", "/libspdlog.so.", "/libfmt.so.", "/libcrypto.so.",
                            "/libzip.so.", "/libopencv_core.so.", "/libopencv_imgcodecs.so.", "/libz.so."}) {
    CAPTURE(taken);
    CHECK(contains(outcome.out, taken));
  }
  for (const auto* left : {"/libc.so.", "/libm.so.", "/libstdc++.so.", "/libgcc_s.so.", "/libgomp.so.",
                           "/libtorch.so", "/libtorch_cpu.so", "/libc10.so", "not\n"}) {
    CAPTURE(left);
    CHECK_FALSE(contains(outcome.out, left));
  }
}

}  // namespace
}  // namespace kindred::test
