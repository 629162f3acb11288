#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "command/checkup.h"
#include "common_options.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

/// The tables that all trainings have. No data set is opened.
constexpr const char* any_training = R"(
dataset = { type = "synthetic" }
sampler = { type = "identity", identities_per_batch = 4, images_per_identity = 4 }
schedule = { type = "warmup_multistep", warmup_epochs = 0, milestones = [] }
)";

constexpr const char* losses_of_bnneck = R"(
[[loss]]
type = "cross_entropy"
on = ["logits"]
[[loss]]
type = "triplet"
on = ["global"]
margin = 0.3
)";

constexpr const char* small_training = R"(
optimizer = { type = "adam", learning_rate = 1e-3 }
head = { type = "bnneck" }
backbone = { type = "resnet", depth = 18, width_multiplier = 0.125 }
)";

constexpr const char* mgn = R"(
augmentation = [{ type = "resize", height = 384, width = 128 }, { type = "normalize" }]
optimizer = { type = "sgd" }
head = { type = "mgn" }
backbone = { type = "se_resnet", depth = 50 }
[[loss]]
type = "cross_entropy"
on = ["logits.*"]
[[loss]]
type = "triplet"
on = ["g1", "g2", "g3"]
margin = 1.0
)";

constexpr const char* strong_baseline = R"(
augmentation = [{ type = "resize", height = 256, width = 128 }, { type = "normalize" }]
optimizer = { type = "adam" }
head = { type = "bnneck" }
backbone = { type = "resnet", depth = 50, last_stride = 1 }
)";

constexpr const char* re_ranking = R"(
post_processor = [{ type = "k_reciprocal" }]
)";

command::CheckupRecipes recipes() {
  const std::string common = any_training;
  return {common + small_training + losses_of_bnneck,
          {{"ResNet50 256 x 128", common + strong_baseline + losses_of_bnneck},
           {"MGN SE-ResNet50 384 x 128", common + mgn}},
          re_ranking};
}

struct Options {
  std::vector<std::string> not_taken;
  bool quick = false;
  std::filesystem::path json;
  RecipeOptions recipe;
};

int doctor(const Options& options, Session& session) {
  if (!options.not_taken.empty()) {
    std::cerr << "error: kindred doctor checks the machine and takes no recipe and no data; to check those: "
                 "kindred data doctor "
              << options.not_taken.front() << '\n';
    return 2;
  }
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto progress = session.make_progress();
  command::CheckupOptions asked;
  asked.quick = options.quick;
  asked.machine =
      recipe::choose_ranking(recipe::parse_recipe("", "doctor", options.recipe.overrides()), catalog).machine;
  options.recipe.require_useful_set({"machine"});
  const auto checkup = command::check_up(recipes(), asked, catalog, *progress);
  std::cout << command::checkup_text(checkup);
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << command::checkup_json(checkup); });
  }
  return checkup.passed() ? 0 : 1;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_flag("--quick", options->quick, "Measure speeds for a moment only, and the slowest not at all");
  app.add_option("--json", options->json, "Also write the table to this file")->type_name("FILE");
  app.add_option("RECIPE", options->not_taken)->group("");
  options->recipe.add_to(app, Computing::on_any_device, "machine.cudnn_benchmark=true");
  return [options](Session& session) { return doctor(*options, session); };
}

}  // namespace

const Command doctor_command = {
    "doctor",
    "Check this machine: networks, training, searches and speed of the device (data: kindred data doctor)",
    add_options};

}  // namespace kindred::launcher
