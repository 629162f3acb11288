// Weights as a user moves them about: looked at, imported, trained on.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";

std::string golden(const std::string& name) {
  return std::string(golden_directory) + "/weights/" + name + ".pth";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("inspect shows a file of PyTorch, and writes the same as JSON") {
  const TemporaryFolder folder;
  const auto json = folder / "weights.json";
  const auto outcome =
      kindred({"weights", "inspect", golden("resnet"), "--json", json.string()}, folder.path());
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(holds(outcome.out, "torchvision"));
  CHECK(nlohmann::json::parse(read_bytes(json))["tensors"].size() == 38);
}

TEST_CASE("an object that would run a command is named, not read and not executed") {
  const TemporaryFolder folder;
  const auto outcome = kindred({"weights", "inspect", golden("hostile")}, folder.path());
  CHECK(outcome.exit_code == 0);
  CHECK(holds(outcome.out, "not read  extra (posix.system): objects of Python; nothing was executed"));
  CHECK_FALSE(fs::exists("/tmp/kindred_was_here"));
}

TEST_CASE("of a file with several networks --key chooses one") {
  const TemporaryFolder folder;
  const auto teacher = kindred({"weights", "inspect", golden("teacher_student")}, folder.path());
  CHECK(teacher.exit_code == 0);
  CHECK(holds(teacher.out, "chosen   'teacher.backbone', not 'student'"));
  const auto chosen =
      kindred({"weights", "inspect", golden("teacher_student"), "--key", "student"}, folder.path());
  CHECK(chosen.exit_code == 0);
  CHECK(holds(chosen.out, "7 under 'student'"));
}

TEST_CASE("a model is imported, used, and trained on for other identities") {
  const TemporaryFolder folder;
  const auto first = kindred({"train", tiny, "--run-dir", (folder / "first").string(), "-q"}, folder.path());
  REQUIRE(first.exit_code == 0);
  const auto model = (folder / "first/model/model.safetensors").string();
  const auto imported = (folder / "imported.safetensors").string();
  const auto import =
      kindred({"weights", "import", model, "--recipe", tiny, "--out", imported}, folder.path());
  CHECK(import.exit_code == 0);
  CHECK(holds(import.out, "identities: 8, as in the file"));

  const auto embed =
      kindred({"embed", "--weights", imported, "--out", (folder / "features").string(), "-q"}, folder.path());
  CHECK(embed.exit_code == 0);
  CHECK(fs::exists(folder / "features/query.npy"));

  const std::vector<std::string> train = {"train",     tiny,
                                          "--set",     "dataset.train_identities=6",
                                          "--set",     "weights.file='" + imported + "'",
                                          "--run-dir", (folder / "second").string()};
  const auto trained = kindred(train, folder.path());
  CHECK(trained.exit_code == 0);
  CHECK(holds(trained.err, "left unchanged: head.classifier.weight ([8, 64] instead of [6, 64])"));
  CHECK(
      holds(trained.err, "the file is not of these identities: head.classifier* starts from random numbers"));
}

TEST_CASE("an import that does not fit writes nothing and exits with 1") {
  const TemporaryFolder folder;
  const auto out = folder / "model.safetensors";
  const auto outcome = kindred(
      {"weights", "import", golden("resnet"), "--recipe", tiny, "--identities", "5", "--out", out.string()},
      folder.path());
  CHECK(outcome.exit_code == 1);
  CHECK(holds(outcome.out, "nothing was written"));
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("a file of weights that is not there is an error of the recipe, at its place") {
  const TemporaryFolder folder;
  const auto outcome =
      kindred({"train", tiny, "--set", "backbone.weights=none.pth", "--run-dir", (folder / "run").string()},
              folder.path());
  CHECK(outcome.exit_code == 2);
  CHECK(holds(outcome.err,
              "tiny.toml:35:1: error: [backbone] weights: none.pth: error: does not exist; get the file, "
              "Kindred downloads nothing, or name another one"));
}

}  // namespace
}  // namespace kindred::test
