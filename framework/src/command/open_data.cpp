#include "command/open_data.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <system_error>
#include <utility>

#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/image/image.h"
#include "recipe/affects.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "text/text_table.h"

namespace kindred::command {
namespace {

/// Images of each data set, by split.
std::string contents_text(const std::vector<recipe::DatasetChoice>& datasets,
                          const std::vector<Sample>& samples) {
  std::map<const recipe::DatasetChoice*, std::array<std::int64_t, 3>> counts;
  for (const auto& sample : samples) {
    ++counts[recipe::dataset_of(datasets, sample.path)][static_cast<std::size_t>(sample.split)];
  }
  text::TextTable table;
  table.heads = {"DATA SET", "TYPE", "TRAIN", "QUERY", "GALLERY"};
  table.widths = {24, 16, 10, 10};
  for (const auto& dataset : datasets) {
    std::vector<std::string> row = {dataset.name, dataset.factory->info().name};
    for (const auto count : counts[&dataset]) row.push_back(std::to_string(count));
    table.rows.push_back(std::move(row));
  }
  return table.str();
}

void set_pixel_limit_of(const Value& recipe) {
  const auto* loader = recipe.as<Table>()->find("loader");
  if (loader == nullptr) return;
  Diagnostics diagnostics;
  recipe::ExtractionPlan plan;
  plan.loader = recipe::LoaderSettings::schema().parse(*loader, "[loader]", diagnostics);
  diagnostics.throw_if_any();
  set_pixel_limit(data::max_pixels(plan));
}

}  // namespace

OpenedData open_data(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                     const Catalog& catalog) {
  if (path.extension() == ".toml" && std::filesystem::is_regular_file(path)) {
    const auto recipe = recipe::load_recipe(path, overrides);
    set_pixel_limit_of(recipe);
    const auto datasets = recipe::choose_datasets(recipe, catalog);
    OpenedData opened{data::open_datasets(datasets, catalog), "", "", "", "", {}};
    for (const auto& dataset : datasets) {
      const auto places = recipe::locations_of(dataset);
      opened.places.insert(opened.places.end(), places.begin(), places.end());
    }
    if (datasets.size() > 1) {
      opened.contents = contents_text(datasets, opened.dataset->samples());
    } else if (!opened.places.empty()) {
      opened.root = opened.places.front();
    }
    return opened;
  }
  std::error_code error;
  if (!overrides.empty() && std::filesystem::exists(path, error)) {
    throw RecipeError({"--set " + overrides.front(), 0, 0},
                      path.string() + " is not a recipe (NAME.toml), so it has no keys to override");
  }
  auto opened = data::open_folder(path, catalog);
  return {std::move(opened.dataset), std::move(opened.layout), path, std::move(opened.remark), "", {path}};
}

}  // namespace kindred::command
