#include "recipe/recipe_tables.h"

#include <algorithm>

#include "recipe/recipe_layout.h"

namespace kindred::recipe {
namespace {

using Names = std::vector<std::string>;

bool has_name(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names top_level_keys() {
  Names keys = {"name", "seed", "evaluate_on"};
  for (const auto& table : recipe_layout()) keys.push_back(table.key);
  return keys;
}

/// The key that somebody means by another program's name for it, or by a similar one; "" when that cannot be
/// told. Misspelt, the keys that are read before this table, or make the file a pipeline, come here too.
std::string meant_key(const std::string& name, Names keys) {
  for (const auto& table : recipe_layout()) {
    if (has_name(table.also_called, name)) return table.key;
  }
  keys.insert(keys.end(), {"extends", "stage"});
  return nearest_name(name, keys);
}

const Table& table_of(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  if (table == nullptr) {
    throw RecipeError(recipe.location(), "a recipe must be a table, not " + recipe.type_name());
  }
  return *table;
}

}  // namespace

Value only(const Value& table, const Names& names) {
  Table result;
  for (const auto& entry : table.as<Table>()->entries()) {
    if (has_name(names, entry.key)) result.set(entry.key, entry.value, entry.key_location);
  }
  return {std::move(result), table.location()};
}

RecipeTables::RecipeTables(const Value& recipe, const Catalog& catalog)
    : recipe_(recipe), root_(table_of(recipe)), chooser_(catalog) {}

void RecipeTables::check_keys() {
  const auto keys = top_level_keys();
  for (const auto& entry : root_.entries()) {
    if (has_name(keys, entry.key)) continue;
    const auto near = meant_key(entry.key, keys);
    diagnostics().error(entry.key_location,
                        "a recipe has no key '" + entry.key + "'; " +
                            (near.empty() ? "it has " + quoted_list(keys) : "did you mean '" + near + "'?"));
  }
}

SourceLocation RecipeTables::location_of(const std::string& table, const std::string& key) const {
  const auto* value = find(table);
  const auto* keys = value == nullptr ? nullptr : value->as<Table>();
  const auto* found = keys == nullptr ? nullptr : keys->find(key);
  return found == nullptr ? recipe_.location() : found->location();
}

const Value* RecipeTables::required_table(const std::string& role) {
  const auto* value = find(role);
  if (value == nullptr) {
    diagnostics().error(recipe_.location(),
                        "the recipe has no table [" + role +
                            "]; it needs one with a 'type': " + chooser_.what_there_is(role));
    return nullptr;
  }
  if (value->as<Table>() == nullptr) {
    diagnostics().error(value->location(),
                        "'" + role + "' must be one table, [" + role + "], not " + value->type_name());
    return nullptr;
  }
  return value;
}

std::vector<std::pair<const Value*, EntrySettings>> RecipeTables::entries_of(const std::string& key,
                                                                             const Value* value) {
  std::vector<std::pair<const Value*, EntrySettings>> result;
  if (value == nullptr) return result;
  const auto* list = value->as<Array>();
  if (list == nullptr) {
    // --set of a key in an entry, where there is none.
    const bool overridden = value->as<Table>() != nullptr && value->location().line == 0;
    diagnostics().error(value->location(),
                        "'" + key + "' must be a list of tables, [[" + key + "]], not " + value->type_name() +
                            (overridden ? "; the recipe has none, so there is no entry to change" : ""));
    return result;
  }
  Names given;
  for (const auto& element : *list) {
    if (element.as<Table>() == nullptr) {
      diagnostics().error(element.location(), "an entry of '" + key + "' must be a table, [[" + key +
                                                  "]], not " + element.type_name());
      continue;
    }
    auto entry =
        EntrySettings::schema().parse(only(element, {"name", "enabled"}), "[[" + key + "]]", diagnostics());
    if (!entry.enabled) continue;
    if (entry.name) {
      if (has_name(given, *entry.name)) {
        diagnostics().error(
            element.as<Table>()->find("name")->location(),
            "two entries of '" + key + "' have the name '" + *entry.name + "'; give each entry its own name");
      }
      given.push_back(*entry.name);
    }
    result.emplace_back(&element, std::move(entry));
  }
  return result;
}

}  // namespace kindred::recipe
