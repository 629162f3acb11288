#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "api/image/written_formats.h"
#include "command.h"
#include "command/convert.h"
#include "command/named_component.h"
#include "command/open_data.h"
#include "common_options.h"
#include "data/kept_images.h"
#include "data/open_dataset.h"
#include "kindred/role/layout.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path data;
  std::filesystem::path out;
  std::string image_format;
  std::vector<int> image_size;  ///< height and width, or nothing
  ComponentOptions layout;
};

int convert(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.layout.plugins.folders);
  const auto progress = session.make_progress();
  auto overrides = options.layout.set;
  const auto layout = command::make_named_component<Layout>(options.layout.name, overrides, catalog);
  command::OpenedData data;
  if (options.data.empty()) {
    data.dataset = data::open_datasets(
        recipe::choose_datasets(
            recipe::parse_recipe("dataset.type = 'synthetic'", "the synthetic data set", overrides), catalog),
        catalog);
  } else {
    data = session.open_data(options.data, overrides);
  }
  const auto samples = data.dataset->samples();
  for (const auto& place : data.places) data::require_images_apart("--out", options.out, place, samples);
  command::ConvertOptions convert{options.out, options.layout.name, options.image_format};
  if (!options.image_size.empty()) {
    convert.height = options.image_size[0];
    convert.width = options.image_size[1];
  }
  command::convert_dataset(*data.dataset, *layout, convert, progress.get());
  std::cout << "written to " << options.out.string() << "; to check it: kindred data doctor "
            << options.out.string() << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RECIPE|FOLDER", options->data,
                 std::string(data_source_help) + " [the synthetic data set, with its defaults]")
      ->type_name("PATH");
  app.add_option("--out", options->out, "A folder that is empty or does not exist")
      ->required()
      ->type_name("DIR");
  app.add_option("--format", options->image_format, "Format of the images [as the layout has it]")
      ->transform(CLI::IsMember(std::vector<std::string>(written_formats.begin(), written_formats.end()),
                                CLI::ignore_case))
      ->type_name("FORMAT");
  app.add_option("--size", options->image_size, "Resize all images to this height and width, in pixels")
      ->expected(2)
      ->check(CLI::Range(1, 65500).description(""))
      ->type_name("HEIGHT WIDTH");
  options->layout.add_to(app, "layout", "Folders and file names");
  return [options](Session& session) { return convert(*options, session); };
}

}  // namespace

const Command data_convert_command = {"data convert", "Write a data set to disk in another layout",
                                      add_options};

}  // namespace kindred::launcher
