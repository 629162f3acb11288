#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "command/draw.h"
#include "common_options.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path file;
  std::filesystem::path out;
  std::string layout = "market";
  std::string image_format;
  RecipeOptions recipe;
};

int draw(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto progress = session.make_progress();
  const auto overrides = options.recipe.overrides();
  const auto recipe = options.file.empty() ? recipe::parse_recipe("dataset.type = 'synthetic'",
                                                                  "the synthetic data set", overrides)
                                           : recipe::load_recipe(options.file, overrides);
  const auto dataset = recipe::choose_dataset(recipe, catalog).create({});
  command::WriteOptions write;
  write.layout = command::layout_of(options.layout);
  write.format = options.image_format;
  command::write_dataset(*dataset, options.out, write, progress.get());
  std::cout << "written to " << options.out.string() << "; to check it: kindred data doctor "
            << options.out.string() << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RECIPE", options->file, "Write the data set of this recipe [synthetic, with its defaults]")
      ->type_name("FILE");
  app.add_option("--out", options->out, "A folder that is empty or does not exist")
      ->required()
      ->type_name("DIR");
  app.add_option("--layout", options->layout, "Folders and file names: market, naic or manifest")
      ->check(CLI::IsMember(command::layout_names()))
      ->capture_default_str()
      ->type_name("LAYOUT");
  app.add_option("--format", options->image_format,
                 "jpg, png, bmp, webp or tif [jpg for the layout market, else png]")
      ->type_name("FORMAT");
  options->recipe.add_to(app);
  return [options](Session& session) { return draw(*options, session); };
}

}  // namespace

const Command data_draw_command = {"data draw", "Write the synthetic data set, or that of a recipe, to disk",
                                   add_options};

}  // namespace kindred::launcher
