// The tables of one recipe as they are read: errors are collected.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/component_choice.h"
#include "recipe/reserved_keys.h"
#include "recipe/settings.h"

namespace kindred::recipe {

/// The keys of a table that are in `names`.
[[nodiscard]] Value only(const Value& table, const std::vector<std::string>& names);

/// Reads components and settings of a recipe, each by the key of its table.
class RecipeTables {
 public:
  /// Throws RecipeError for what is not a table. Recipe and catalog must outlive the choices.
  RecipeTables(const Value& recipe, const Catalog& catalog);

  /// Reports keys at the top that no recipe has.
  void check_keys();

  /// What is written at a key at the top, or nullptr.
  [[nodiscard]] const Value* find(const std::string& key) const { return root_.find(key); }
  /// Of a key's value, or else of the recipe.
  [[nodiscard]] SourceLocation location_of(const std::string& table, const std::string& key) const;
  [[nodiscard]] const Value& recipe() const { return recipe_; }
  [[nodiscard]] ComponentChooser& chooser() { return chooser_; }
  [[nodiscard]] Diagnostics& diagnostics() { return chooser_.diagnostics; }

  /// The engine's table of that key; `out` stays as it is where there is none.
  template <class Settings>
  void settings(const std::string& key, Settings& out) {
    const auto* value = find(key);
    if (value != nullptr) out = Settings::schema().parse(*value, "[" + key + "]", diagnostics());
  }

  /// The component in the table of its role, which is required.
  /// @param reserved keys of the table that are not the component's
  template <class Role>
  void choose(Choice<Role>& choice, const std::vector<std::string>& reserved = table_keys) {
    const std::string role(Role::role_name);
    if (const auto* table = required_table(role)) {
      chooser_.choose(*table, "[" + role + "]", reserved, choice);
    }
  }

  /// The enabled entries of a list of tables, with their names.
  [[nodiscard]] std::vector<std::pair<const Value*, EntrySettings>> entries_of(const std::string& key) {
    return entries_of(key, find(key));
  }
  /// @param value what is written at the key `key`, or nullptr
  [[nodiscard]] std::vector<std::pair<const Value*, EntrySettings>> entries_of(const std::string& key,
                                                                               const Value* value);

 private:
  const Value* required_table(const std::string& role);

  const Value& recipe_;
  const Table& root_;
  ComponentChooser chooser_;
};

}  // namespace kindred::recipe
