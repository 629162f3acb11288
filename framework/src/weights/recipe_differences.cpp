#include "weights/recipe_differences.h"

#include <cstddef>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/core/value.h"
#include "recipe/recipe.h"

namespace kindred::weights {
namespace {

using Differences = std::vector<std::string>;

constexpr const char* recipe_key = "kindred.recipe";

/// The table, where it is of a component of that type.
const Table* table_of_type(const Value* value, const std::string& type) {
  const auto* table = value == nullptr ? nullptr : value->as<Table>();
  const auto* found = table == nullptr ? nullptr : table->find("type");
  const auto* name = found == nullptr ? nullptr : found->as<std::string>();
  return name != nullptr && *name == type ? table : nullptr;
}

std::string said(const Value* value) {
  return value == nullptr ? "not set" : value->to_toml();
}

template <class Role>
void compare(const std::string& title, const Table* theirs, const recipe::Choice<Role>& choice,
             Differences& differences) {
  if (theirs == nullptr) return;
  const auto written = choice.factory->write(choice.params.get());
  for (const auto& parameter : choice.factory->info().parameters) {
    if (parameter.affects == Affects::nothing) continue;
    const auto* here = written.template as<Table>()->find(parameter.name);
    const auto* there = theirs->find(parameter.name);
    if (here == nullptr ? there == nullptr : there != nullptr && *here == *there) continue;
    differences.push_back(title + "." + parameter.name + " = " + said(there) + " (here " + said(here) + ")");
  }
}

}  // namespace

std::string recipe_differences(const WeightsFile& file, const recipe::Plan& plan, bool whole) {
  constexpr std::size_t most = 10;
  const auto found = file.content.metadata.find(recipe_key);
  if (found == file.content.metadata.end()) return "";
  const auto recipe = recipe::parse_recipe(found->second, "recipe in " + file.file.string(), {});
  const auto* tables = recipe.as<Table>();
  if (tables == nullptr) return "";
  Differences differences;
  const auto type_of = [](const auto& choice) { return choice.factory->info().name; };
  compare("backbone", table_of_type(tables->find("backbone"), type_of(plan.backbone)), plan.backbone,
          differences);
  if (whole) {
    compare("head", table_of_type(tables->find("head"), type_of(plan.head)), plan.head, differences);
    const auto* list = tables->find("augmentation");
    const auto* entries = list == nullptr ? nullptr : list->as<Array>();
    for (const auto& choice : plan.augmentations) {
      if (entries == nullptr || !choice.create({})->at_test_time()) continue;
      const Table* theirs = nullptr;
      for (const auto& entry : *entries) {
        if (theirs == nullptr) theirs = table_of_type(&entry, type_of(choice));
      }
      compare("augmentation." + type_of(choice), theirs, choice, differences);
    }
  }
  std::string text;
  for (std::size_t i = 0; i < differences.size() && i < most; ++i)
    text += (i == 0 ? "" : ", ") + differences[i];
  return differences.size() > most ? text + ", ..." : text;
}

}  // namespace kindred::weights
