// Vision transformers under both kinds of heads, trained and evaluated from the command line.
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

/// A recipe for a small vision transformer and a head, of people who are easy to tell apart.
std::filesystem::path transformer_recipe(const TemporaryFolder& folder, const std::string& head) {
  return folder.write("recipe.toml", "extends = '" + std::string(source_directory) +
                                         "/tests/e2e/tiny.toml'\n"
                                         "[dataset]\ntrain_identities = 40\ntest_identities = 16\n"
                                         "difficulty = 0.1\n"
                                         "[backbone]\ntype = 'vit'\ndim = 48\ndepth = 3\nheads = 3\n"
                                         "image_height = 48\nimage_width = 24\n"
                                         "stem = 'convolutions'\nstride = 8\n" +
                                         head +
                                         "[optimizer]\ntype = 'adamw'\nlearning_rate = 2e-3\n"
                                         "[schedule]\nmilestones = [13]\n[train]\nepochs = 16\n");
}

double trained_score(const std::filesystem::path& recipe, const std::filesystem::path& run,
                     const std::vector<std::string>& settings = {}) {
  std::vector<std::string> command{"run", recipe.string(), "--run-dir", run.string()};
  command.insert(command.end(), settings.begin(), settings.end());
  const auto outcome = kindred(command, run.parent_path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  return nlohmann::json::parse(read_bytes(run / "ranking/evaluation.json"))["figures"]["mAP"]["value"]
      .get<double>();
}

double untrained_score(const std::filesystem::path& recipe, const std::filesystem::path& run) {
  return trained_score(recipe, run,
                       {"--set", "train.epochs=1", "--set", "schedule.milestones=[]", "--set",
                        "optimizer.learning_rate=1e-9"});
}

}  // namespace

TEST_CASE("the branches of MGN learn people from the tokens of a vision transformer as from a map") {
  const TemporaryFolder folder;
  const auto recipe = transformer_recipe(folder,
                                         "[head]\ntype = 'mgn'\ncut = 'blocks.0'\nreduced_dim = 16\n"
                                         "[[loss]]\ntype = 'cross_entropy'\non = ['logits.*']\n"
                                         "[[loss]]\ntype = 'triplet'\non = ['g1', 'g2', 'g3']\n");
  const auto before = untrained_score(recipe, folder / "untrained");
  const auto after = trained_score(recipe, folder / "run");
  CAPTURE(before);
  CAPTURE(after);
  CHECK(after > before + 0.2);
}

TEST_CASE("TransReID learns people and their cameras, and its model demands cameras of what it embeds") {
  const TemporaryFolder folder;
  const auto recipe = transformer_recipe(
      folder,
      "side_information = 'camera'\n"
      "[head]\ntype = 'transreid'\nshift = 3\n"
      "[[loss]]\ntype = 'cross_entropy'\non = ['logits.global', 'logits.local*']\n"
      "[[loss]]\ntype = 'triplet'\non = ['global', 'local1', 'local2', 'local3', 'local4']\n");
  const auto before = untrained_score(recipe, folder / "untrained");
  const auto after = trained_score(recipe, folder / "run");
  CAPTURE(before);
  CAPTURE(after);
  CHECK(after > before + 0.2);

  // Images without cameras.
  const auto model = (folder / "run/model/model.safetensors").string();
  const auto converted = kindred(
      {"data", "convert", recipe.string(), "--layout", "manifest", "--out", (folder / "people").string()},
      folder.path());
  CAPTURE(converted.err);
  REQUIRE(converted.exit_code == 0);
  std::filesystem::path image;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "people")) {
    if (entry.path().extension() == ".png" || entry.path().extension() == ".jpg") image = entry.path();
  }
  const auto features = (folder / "features").string();
  const auto refused =
      kindred({"embed", "--weights", model, "--data", image.string(), "--out", features}, folder.path());
  CHECK(refused.exit_code == 1);
  CAPTURE(refused.err);
  CHECK(refused.err.find("camera") != std::string::npos);
  CHECK(refused.err.find("unknown_camera") != std::string::npos);
  const auto allowed = kindred({"embed", "--weights", model, "--data", image.string(), "--out", features,
                                "--set", "backbone.unknown_camera=mean"},
                               folder.path());
  CAPTURE(allowed.err);
  CHECK(allowed.exit_code == 0);
}

}  // namespace kindred::test
