#include "recipe/recipe_merge.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "recipe/list_of_tables.h"

namespace kindred::recipe {
namespace {

/// Whether `changes` makes another component of `base`.
bool changes_type(const Table& base, const Table& changes) {
  const auto* before = base.find("type");
  const auto* after = changes.find("type");
  return before != nullptr && after != nullptr && !(*before == *after);
}

void edit_entries(Array& list, const std::string& list_name, const Table& edits, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const auto& entry : list) names.push_back(entry_name(entry));

  for (const auto& edit : edits.entries()) {
    const auto* changes = edit.value.as<Table>();
    if (changes == nullptr) {
      diagnostics.error(edit.key_location, "'" + list_name + "' is a list of tables; to change its entry '" +
                                               edit.key + "', write a table, not " + edit.value.type_name() +
                                               "; its entries are " + quoted_list(names));
      continue;
    }
    const auto count = std::count(names.begin(), names.end(), edit.key);
    if (count != 1) {
      const auto near = count == 0 ? nearest_name(edit.key, names) : "";
      diagnostics.error(
          edit.key_location,
          (count == 0 ? "'" + list_name + "' has no entry '" + edit.key + "'"
                      : "'" + list_name + "' has " + std::to_string(count) + " entries '" + edit.key +
                            "'; give each its own 'name'") +
              (near.empty() ? "; its entries are " + quoted_list(names) : "; did you mean '" + near + "'?"));
      continue;
    }
    auto& entry =
        list[static_cast<std::size_t>(std::find(names.begin(), names.end(), edit.key) - names.begin())];
    auto& table = *entry.as<Table>();
    if (!changes_type(table, *changes)) {
      merge_recipe(table, *changes, diagnostics);
      continue;
    }
    const auto* name = table.find("name");
    Table replaced;
    if (name != nullptr) replaced.set("name", *name, name->location());
    merge_recipe(replaced, *changes, diagnostics);
    entry = Value(std::move(replaced), edit.value.location());
  }
}

}  // namespace

void merge_recipe(Table& base, const Table& changes, Diagnostics& diagnostics) {
  for (const auto& change : changes.entries()) {
    auto* before = base.find(change.key);
    const auto* table = change.value.as<Table>();
    if (before != nullptr && table != nullptr) {
      auto* merged = before->as<Table>();
      if (merged != nullptr && !changes_type(*merged, *table)) {
        merge_recipe(*merged, *table, diagnostics);
        continue;
      }
      if (const auto* list = before->as<Array>();
          list != nullptr && (list->empty() || is_list_of_tables(*before))) {
        edit_entries(*before->as<Array>(), change.key, *table, diagnostics);
        continue;
      }
    }
    base.set(change.key, change.value, change.key_location);
  }
}

}  // namespace kindred::recipe
