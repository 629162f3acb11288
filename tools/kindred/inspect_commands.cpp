// list, describe, check: what there is and what a recipe means.
#include <filesystem>
#include <iostream>
#include <string>

#include "command/check.h"

#include "command/describe.h"
#include "command/list.h"
#include "command/reference.h"
#include "commands.h"
#include "file/atomic_file.h"
#include "session.h"
#include "training/plan_check.h"

namespace kindred::launcher {
namespace {

command::DescribeFormat format_of(const std::string& name) {
  if (name == "markdown") return command::DescribeFormat::markdown;
  if (name == "json") return command::DescribeFormat::json;
  return command::DescribeFormat::text;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  file::write_atomically(file, [&](std::ostream& out) { out << text; });
  std::cout << file.string() << '\n';
}

}  // namespace

int list_command(const Options& options) {
  const auto plugins = load_plugins(options);
  std::cout << command::list_components(plugins.catalog);
  return 0;
}

int describe_command(const Options& options) {
  if (options.component.empty() && options.out.empty()) {
    throw RecipeError(
        {}, "describe needs a name, such as head/mgn, head or train; `kindred list` shows what there is");
  }
  const auto plugins = load_plugins(options);
  if (options.out.empty()) {
    std::cout << command::describe(plugins.catalog, options.component, format_of(options.format));
    return 0;
  }
  for (const auto& page : command::reference_pages(plugins.catalog))
    write_text(options.out / page.file, page.text);
  return 0;
}

int check_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto recipe = read_recipe(options);
  if (pipeline::is_pipeline(recipe)) {
    std::cout << command::check_pipeline(plan_pipeline_recipe(recipe, plugins));
  } else if (recipe::speaks_of_ranking_alone(recipe)) {
    std::cout << command::check_ranking(plan_ranking(recipe, plugins));
  } else {
    std::cout << training::check_plan(plan_recipe(recipe, plugins));
  }
  return 0;
}

}  // namespace kindred::launcher
