// Recipes: TOML with `extends` and overrides, resolved against a catalog; studies; pipelines.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/value.h"
#include "pipeline/pipeline.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "recipe/recipe_kind.h"
#include "study/study.h"
#include "target/targets.h"
#include "tiny_components.h"

namespace kindred::fuzz {
namespace {

const Catalog& tiny_components() {
  static const Catalog catalog = test::tiny_catalog();
  return catalog;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// The file recipe.toml with what it extends, and the overrides of the file `overrides`, one in each line.
Value load(const Files& files) {
  const FilesOnDisk disk(files);
  const auto overrides = files.find("overrides");
  return recipe::load_recipe(disk.folder() / "recipe.toml", overrides == files.end()
                                                                ? std::vector<std::string>{}
                                                                : lines_of(overrides->second));
}

bool accepts_recipe(const std::string& bytes) {
  const auto files = split_files(bytes);
  return passes([&] {
    const auto recipe = load(files);
    const auto text = recipe::write_recipe(recipe);
    const auto again = recipe::parse_recipe(text, "again", {});
    require(again == recipe, "a recipe that was written is read as another one");
    require(recipe::write_recipe(again) == text, "a recipe that was read is written in another way");
    recipe::require_model_recipe(recipe);
    const auto plan = recipe::make_plan(recipe, tiny_components());
    const auto resolved = plan.resolved();
    require(recipe::make_plan(resolved, tiny_components()).resolved() == resolved,
            "a resolved recipe is resolved in another way");
    static_cast<void>(plan.identity());
  });
}

bool accepts_study(const std::string& bytes) {
  return passes([&] { static_cast<void>(study::read_study(fuzz_file("study.toml", bytes))); });
}

bool accepts_pipeline(const std::string& bytes) {
  const auto files = split_files(bytes);
  return passes([&] {
    const auto recipe = load(files);
    static_cast<void>(pipeline::make_any_pipeline(recipe, tiny_components()));
  });
}

std::vector<std::string> recipe_seeds() {
  const std::string whole = test::tiny_recipe;
  return {
      join_files({{"recipe.toml", whole}}),
      join_files(
          {{"recipe.toml",
            "extends = [\"base/tiny.toml\", \"more.toml\"]\nseed = 9223372036854775807\n"
            "[loss.centers]\nenabled = false\n[augmentation.brightness]\nname = \"b\"\n"},
           {"base/tiny.toml", whole},
           {"more.toml", "[train]\nepochs = 1_000\n[optimizer]\ntype = \"adam\"\n"},
           {"overrides", "train.epochs=2\nloss.scale.weight=+1e-3\nname='ab'\ndataset={type='tiny'}\n"}}),
      join_files({{"recipe.toml", whole + "[[metric]]\ntype = \"tiny\"\nname = \"ag\\u0061in\"\n"
                                          "[evaluate]\nclothes = \"changed\"\n[ranking]\nby_domain = true\n"},
                  {"overrides", "embed.batch_size=0x10\nloader.workers=0b11\n"}}),
  };
}

std::vector<std::string> study_seeds() {
  return {
      "recipe = \"../base.toml\"\nseeds = [1, 2, 9223372036854775807]\nfolds = [1]\nset.train.epochs = 30\n"
      "[[variant]]\nname = \"off\"\nset.augmentation.random_patch.enabled = false\n"
      "[[axis]]\nkey = \"augmentation.random_patch.prob\"\nvalues = [0.1, 0.3, 'a', true]\n",
      "recipe = \"a.toml\"\n[[axis]]\nkey = \"a.b\"\nvalues = [1, 2]\n[[axis]]\nkey = \"c.b\"\nvalues = [1, "
      "2]\n",
  };
}

std::vector<std::string> pipeline_seeds() {
  const std::string train =
      "[dataset]\ntype = \"tiny\"\n"
      "[[stage]]\nname = \"base\"\ntype = \"train\"\nrecipe = \"model.toml\"\n"
      "[[stage]]\nname = \"test\"\ntype = \"embed\"\nmodel = \"base\"\n"
      "[[stage]]\nname = \"ranked\"\ntype = \"rank\"\nfeatures = \"test\"\n";
  return {
      join_files({{"recipe.toml", test::tiny_recipe}}),
      join_files({{"recipe.toml", "name = \"two\"\n" + train}, {"model.toml", test::tiny_recipe}}),
      join_files({{"recipe.toml",
                   train + "[[stage]]\nname = \"again\"\ntype = \"train\"\nrecipe = \"model.toml\"\n"
                           "start_from = \"base\"\n"
                           "[repeat]\nrounds = 3\nstages = [\"again\"]\nfeed = { base = \"again\" }\n"},
                  {"model.toml", test::tiny_recipe},
                  {"overrides", "stage.ranked.enabled=false\n"}}),
  };
}

}  // namespace

void add_recipe_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"recipe", accepts_recipe, recipe_seeds});
  targets.push_back({"study", accepts_study, study_seeds});
  targets.push_back({"pipeline", accepts_pipeline, pipeline_seeds});
}

}  // namespace kindred::fuzz
