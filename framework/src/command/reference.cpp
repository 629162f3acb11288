#include "command/reference.h"

#include <utility>

#include "command/describe.h"
#include "pipeline/pipeline.h"
#include "recipe/recipe_layout.h"

namespace kindred::command {

std::vector<ReferencePage> reference_pages(const Catalog& catalog) {
  std::string settings = describe(catalog, "recipe", DescribeFormat::markdown);
  std::string index =
      "# Reference\n\nWritten by `kindred describe --reference docs/reference` from the components' own "
      "declarations; `kindred describe NAME` prints the same for one.\n\n"
      "- [recipe](recipe.md): the keys of a recipe and the tables that belong to no component\n";
  std::vector<ReferencePage> pages;
  std::string pipeline =
      "# Pipelines\n\nThe tables of a recipe of several stages ([how](../pipelines.md)).\n";
  index += "- [pipeline](pipeline.md): the tables of a pipeline\n";
  auto tables = recipe::recipe_layout();
  for (auto& table : pipeline::pipeline_layout()) {
    if (table.kind == recipe::RecipeTable::Kind::component) {
      tables.push_back(std::move(table));
      continue;
    }
    pipeline += "\n#" + describe(catalog, table.key, DescribeFormat::markdown);
    for (const auto& inner : table.inner) {
      pipeline += "\n##" + describe(catalog, inner.key, DescribeFormat::markdown);
    }
  }
  for (auto& role : option_roles()) tables.push_back(std::move(role));
  for (const auto& table : tables) {
    if (table.kind == recipe::RecipeTable::Kind::settings ||
        table.kind == recipe::RecipeTable::Kind::settings_list) {
      settings += "\n#" + describe(catalog, table.key, DescribeFormat::markdown);
      continue;
    }
    index += "- [" + table.key + "](" + table.key + ".md):";
    for (const auto* factory : catalog.components(table.key)) index += " `" + factory->info().name + "`";
    index += "\n";
    pages.push_back({table.key + ".md", describe_catalog_markdown(catalog, table.key)});
  }
  pages.insert(pages.begin(), {{"README.md", index}, {"recipe.md", settings}, {"pipeline.md", pipeline}});
  return pages;
}

}  // namespace kindred::command
