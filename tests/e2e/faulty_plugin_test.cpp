// What a user sees of a plugin that breaks the contracts of its roles, and of a model that such a plugin
// trained.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

const std::string heap_plugins = std::string(build_directory) + "/tests/fixtures/plugins/heap";

bool says(const Outcome& outcome, const std::string& part) {
  return outcome.err.find(part) != std::string::npos;
}

/// Runs a command with a recipe that extends the tiny one, and the plugin.
Outcome with_heap(const TemporaryFolder& folder, const std::string& more,
                  const std::string& command = "train", const std::vector<std::string>& options = {}) {
  const auto recipe = folder.write(
      "faulty.toml", "extends = \"" + std::string(source_directory) + "/tests/e2e/tiny.toml\"\n" + more);
  std::vector<std::string> arguments{command, recipe.string(), "--plugin-dir", heap_plugins, "--quiet"};
  if (command != "check") {
    arguments.insert(arguments.end(), {"--run-dir", (folder / "run").string()});
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return kindred(arguments, folder.path());
}

std::string augmentations_with(const std::string& faulty) {
  return "[[augmentation]]\ntype = \"resize\"\nheight = 48\nwidth = 24\n[[augmentation]]\n" + faulty +
         "\n[[augmentation]]\ntype = \"normalize\"\n";
}

std::string loss_of(const std::string& type) {
  return "[[loss]]\ntype = \"cross_entropy\"\non = [\"logits\"]\n[[loss]]\ntype = \"" + type +
         "\"\non = [\"global\"]\n";
}

TEST_CASE("an image that an augmentation spoils is an error that names it, before memory is touched") {
  for (const std::string command : {"check", "train"}) {
    CAPTURE(command);
    const TemporaryFolder folder;
    const auto floats = with_heap(folder, augmentations_with("type = \"gray32\""), command);
    CHECK(floats.exit_code == 1);
    CHECK(says(floats,
               "error: augmentation 'gray32' of plugin 'heap' gave an image of 48 x 24 pixels with 1 "
               "channel (CV_32FC1); an image has the three channels R, G, B"));
    const auto bytes = with_heap(folder, augmentations_with("type = \"gray8\""), command);
    CHECK(bytes.exit_code == 1);
    CHECK(says(bytes,
               "augmentation 'gray8' of plugin 'heap' gave an image of 48 x 24 pixels with 1 channel "
               "(CV_8UC1)"));
  }
}

TEST_CASE("a number thrown in a worker thread ends with the component's name, the image's and 1") {
  const TemporaryFolder folder;
  const auto outcome = with_heap(folder, augmentations_with("type = \"seven\"\nfrom = 5"));
  CHECK(outcome.exit_code == 1);
  CHECK(says(outcome,
             "error: augmentation 'seven' of plugin 'heap' failed: it threw a value of type 'int', "
             "which is not an exception"));
  CHECK(says(outcome, "train/"));
}

TEST_CASE("a plugin that calls exit does not end a command as if its work were done") {
  const TemporaryFolder folder;
  for (const std::string command : {"check", "train"}) {
    CAPTURE(command);
    const auto outcome = with_heap(folder, augmentations_with("type = \"leave\""), command);
    CHECK(outcome.exit_code == 1);
    CHECK(says(outcome, "error: exit() was called before the command had ended, by a plugin or a library"));
  }
}

TEST_CASE("samplers, losses and schedules that break their contracts are named") {
  const TemporaryFolder folder;
  const auto sampler = with_heap(folder, "[sampler]\ntype = \"beyond\"\n" + loss_of("mean_square"));
  CHECK(sampler.exit_code == 1);
  CHECK(says(sampler, "error: sampler 'beyond' of plugin 'heap' gave image "));
  CHECK(says(sampler, " in batch 1 of epoch 1, but there are only "));

  const auto rows = with_heap(folder, loss_of("rows"));
  CHECK(rows.exit_code == 1);
  CHECK(says(rows,
             "error: loss 'rows' of plugin 'heap' gave a tensor [12] of type Float as its value; it "
             "must be one floating-point number"));

  const auto no_gradient = with_heap(folder, loss_of("no_gradient"));
  CHECK(no_gradient.exit_code == 1);
  CHECK(says(no_gradient, "error: loss 'no_gradient' of plugin 'heap' gave a value without a gradient"));

  const auto loss = with_heap(folder, loss_of("seven"));
  CHECK(loss.exit_code == 1);
  CHECK(says(loss, "error: loss 'seven' of plugin 'heap' failed: it threw a value of type 'int'"));

  const auto schedule = with_heap(folder, "[schedule]\ntype = \"seven\"\n");
  CHECK(schedule.exit_code == 1);
  CHECK(says(schedule, "error: schedule 'seven' of plugin 'heap' failed: it threw a value of type 'int'"));
}

TEST_CASE("a model needs only what inference needs, and says what is missing") {
  const TemporaryFolder folder;
  const auto embed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"embed",
                                       "--weights",
                                       (folder / "run/model/model.safetensors").string(),
                                       "--out",
                                       (folder / "features").string(),
                                       "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return kindred(arguments, folder.path());
  };
  const auto trained =
      with_heap(folder, augmentations_with("type = \"keep_training\"") + loss_of("mean_square"));
  REQUIRE(trained.exit_code == 0);
  const auto without = embed({});
  CHECK(without.exit_code == 0);
  CHECK(without.err.empty());

  const auto useless = embed({"--set", "loss.triplet.margin=1", "--set", "augmentation.keep_training.x=1"});
  CHECK(useless.exit_code == 2);
  CHECK(says(useless, "--set loss.triplet.margin=1: error: a trained model does not use 'loss' any more"));
  CHECK(says(useless, "the augmentation 'keep_training' was used in training alone"));

  // Post-processors see the descriptors, with the plugin.
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"no_numbers",
       "error: post_processor 'no_numbers' of plugin 'heap' gave query 0 (from 0) a distance that is not "
       "finite"},
      {"seven", "error: post_processor 'seven' of plugin 'heap' failed: it threw a value of type 'int'"}};
  for (const auto& [name, message] : faults) {
    const auto evaluated = kindred(
        {"evaluate", (folder / "features").string(), "--post", name, "--plugin-dir", heap_plugins, "-q"},
        folder.path());
    CHECK(evaluated.exit_code == 1);
    CHECK(says(evaluated, message));
  }
  const auto labeled = kindred({"label", (folder / "features").string(), "--labeler", "gaps", "--plugin-dir",
                                heap_plugins, "-q", "--out", (folder / "labels").string()},
                               folder.path());
  CHECK(labeled.exit_code == 1);
  CHECK(says(labeled, "error: labeler 'gaps' of plugin 'heap' gave the identity 3 to image 0 (from 0)"));

  const TemporaryFolder other;
  REQUIRE(with_heap(other, augmentations_with("type = \"keep_always\"")).exit_code == 0);
  const auto missing =
      kindred({"embed", "--weights", (other / "run/model/model.safetensors").string(), "-q"}, other.path());
  CHECK(missing.exit_code == 3);
  CHECK(says(missing,
             "model.safetensors: error: needs what no loaded plugin offers: augmentation "
             "'keep_always' of plugin 'heap' 1.0.0. Give the folder of the plugin with --plugin-dir "
             "DIR"));
}

TEST_CASE("settings that do nothing or cannot work are found by check") {
  const TemporaryFolder folder;
  const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";
  const auto check = [&](const std::vector<std::string>& overrides) {
    std::vector<std::string> arguments{"check", tiny};
    for (const auto& text : overrides) arguments.insert(arguments.end(), {"--set", text});
    return kindred(arguments, folder.path());
  };
  for (const auto* text : {"sampler.images_per_identity=1", "sampler.identities_per_batch=1"}) {
    CAPTURE(text);
    const auto outcome = check({text});
    CHECK(outcome.exit_code == 2);
    CHECK(says(outcome, "tiny.toml:"));
    CHECK(says(outcome,
               "error: sampler 'identity' makes batches in which no image has both another image of "
               "its identity and one of another identity, so 'triplet(global)' would always be 0"));
  }
  const auto rate = check({"optimizer.learning_rate=1e300"});
  CHECK(rate.exit_code == 2);
  CHECK(says(rate, "--set optimizer.learning_rate=1e300: error: optimizer 'adam': learning_rate = 1e"));
  CHECK(says(rate, "is too large for a 32-bit float"));
  const auto idle = check({"augmentation.horizontal_flip.prob=0"});
  CHECK(idle.exit_code == 0);
  CHECK(idle.out.find("warning: augmentation 'horizontal_flip': with prob = 0") != std::string::npos);
  CHECK(idle.out.find("48 x 24 pixels") != std::string::npos);
}

}  // namespace
}  // namespace kindred::test
