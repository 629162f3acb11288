#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/embed.h"
#include "common_options.h"
#include "file/feature_files.h"
#include "joined_ranks.h"
#include "kindred/core/value.h"
#include "local_ranks.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path weights;
  std::filesystem::path data;
  std::filesystem::path out = "features";
  std::string storage;  ///< "": as the model's recipe says
  bool train_split = false;
  std::filesystem::path maps;
  RecipeOptions recipe;
};

int embed(const Options& options, Session& session) {
  if (const auto code = run_local_ranks(options.recipe.asked_ranks(), session)) return *code;
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  JoinedRanks joined(session);
  auto overrides = options.recipe.overrides();
  if (!options.storage.empty()) {
    overrides.push_back(
        option_override("--storage " + options.storage, "embed.storage=" + Value(options.storage).to_toml()));
  }
  const auto written = command::embed(
      {options.weights, options.data, options.out, overrides, options.train_split, options.maps}, catalog,
      joined.progress(), joined.ranks());
  joined.end();
  if (!joined.ranks().is_first()) return 0;
  for (const auto& split : written) {
    std::cout << split.stem.string() << (file::has_sharded_features(split.stem) ? ".shards.csv  " : ".npy  ")
              << split.images << " x " << split.dim << "  " << split.storage << '\n';
  }
  if (!options.maps.empty()) std::cout << options.maps.string() << "  activation maps\n";
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("--weights", options->weights, "The model file: model.safetensors")
      ->required()
      ->type_name("FILE");
  app.add_option("--data", options->data,
                 "A data set, any folder of images, or one image [the data of the model's recipe]")
      ->type_name("PATH");
  app.add_option("--out", options->out, "Folder that the features are written to")
      ->capture_default_str()
      ->type_name("DIR");
  app.add_option("--storage", options->storage, "float32, float16 or bfloat16; sets embed.storage")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->type_name("TYPE");
  app.add_flag("--train-split", options->train_split, "Extract features of the training images too");
  app.add_option(
         "--maps", options->maps,
         "Also write, for each image, a picture of where the model responds to it (activation map) to "
         "this folder")
      ->type_name("DIR");
  options->recipe.add_to(app, Computing::on_any_device, "embed.flip_test=true");
  options->recipe.add_ranks_to(app);
  return [options](Session& session) { return embed(*options, session); };
}

}  // namespace

const Command embed_command = {"embed", "Extract features of images with a trained model; needs no recipe",
                               add_options};

}  // namespace kindred::launcher
