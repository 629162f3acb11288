#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>

#include "command.h"
#include "command/search.h"
#include "common_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::SearchRequest request;
  std::optional<float> threshold;
  bool json = false;
  RecipeOptions recipe;
};

int search(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto progress = session.make_progress();
  auto request = options.request;
  request.overrides = options.recipe.overrides();
  request.plugin_folders = options.recipe.plugins.folders;
  if (options.threshold) request.options.threshold = *options.threshold;
  const auto result = command::search(request, catalog, *progress);
  if (options.json) {
    if (result.index) progress->note(command::index_text(request, *result.index));
    std::cout << command::search_json(request, result);
    return 0;
  }
  Session::print(command::search_text(request, result));
  if (!request.sheet.empty()) std::cout << '\n' << request.sheet.string() << "  pictures\n";
  if (!request.keep.empty()) std::cout << request.keep.string() << "  gallery, for --gallery\n";
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("--weights", request.model, "The model file: model.safetensors")
      ->required()
      ->type_name("FILE");
  app.add_option("--gallery", request.gallery,
                 "Who is looked among: a gallery that --keep has made, features of embed or of a run, or a "
                 "folder or manifest of images")
      ->required()
      ->type_name("PATH");
  add_repeatable(app, "--image", request.images, "A picture of a person who is looked for")
      ->required()
      ->type_name("FILE");
  app.add_option("--top", request.options.top, "Matches for each picture")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--threshold", options->threshold, "Only matches of at least this similarity, from -1 to 1")
      ->check(real_range(-1, 1))
      ->type_name("S");
  add_repeatable(app, "--camera", request.options.cameras, "Only images of this camera")->type_name("N");
  app.add_option("--sheet", request.sheet,
                 "Also draw pictures and matches to this file: PNG, or JPEG as .jpg")
      ->type_name("FILE");
  app.add_option("--data", request.data, "Where the images of features lie, for --sheet")->type_name("DIR");
  app.add_option("--keep", request.keep,
                 "Keep the features of a folder of images in this new folder, a gallery for later searches")
      ->type_name("DIR");
  app.add_option("--index", request.index,
                 "Search by an approximate index (see kindred list), and report what it misses; --set "
                 "index.KEY=VALUE changes its parameters [exact search]")
      ->type_name("NAME");
  app.add_flag("--json", options->json, "Print the matches as JSON");
  options->recipe.add_to(app, Computing::on_any_device, "embed.flip_test=true");
  return [options](Session& session) { return search(*options, session); };
}

}  // namespace

const Command search_command = {"search", "Find a person by a picture, in a folder of images or in features",
                                add_options};

}  // namespace kindred::launcher
