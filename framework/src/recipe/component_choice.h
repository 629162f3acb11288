// Components that a recipe has chosen, found in a catalog.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/schema.h"
#include "kindred/core/value.h"
#include "recipe/guarded.h"

namespace kindred::recipe {

/// A component that a recipe has chosen, with its parameters.
template <class Role>
struct Choice {
  const RoleFactory<Role>* factory = nullptr;
  std::shared_ptr<const void> params;
  SourceLocation location;  ///< of the table
  Table written;            ///< the table itself
  std::string name;         ///< of the entry in a list: its key `name`, or else its `type`

  /// The component behind its border (guarded.h). What it finds wrong with its parameters is a RecipeError at
  /// the table, or at the override of the parameter.
  [[nodiscard]] typename Role::Handle create(const typename Role::Context& context) const {
    const auto& info = factory->info();
    try {
      auto made = guarded(info.subject(), [&] { return factory->create(params.get(), context); });
      if constexpr (requires { context.samples.size(); }) {
        return guard(std::move(made), info, context.samples.size());
      } else {
        return guard(std::move(made), info);
      }
    } catch (const ComponentError& error) {
      throw RecipeError(location_of_cause(written, error.reason(), location),
                        subject() + ": " + error.reason());
    }
  }
  /// "role 'type'": for messages
  [[nodiscard]] std::string subject() const {
    return factory->info().role + " '" + factory->info().name + "'";
  }
  /// The name, and in brackets the type where that is another one: for summaries.
  [[nodiscard]] std::string title() const {
    const auto& type = factory->info().name;
    return name == type ? type : name + " (" + type + ")";
  }
  /// `type` and every parameter with its value.
  [[nodiscard]] Value resolved() const {
    Value table;
    table.as<Table>()->set("type", Value(factory->info().name));
    const auto written = factory->write(params.get());
    for (const auto& entry : written.template as<Table>()->entries()) {
      table.as<Table>()->set(entry.key, entry.value);
    }
    return table;
  }
};

/// A recipe asks for components that are not in the catalog, for instance because their plugin was refused.
class MissingComponentError : public RecipeError {
 public:
  MissingComponentError(std::vector<Diagnostic> diagnostics,
                        std::vector<std::pair<std::string, std::string>> missing);
  MissingComponentError(const MissingComponentError&) = default;
  ~MissingComponentError() override;

  /// Role and name of each, in the order found.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& missing() const { return missing_; }

 private:
  std::vector<std::pair<std::string, std::string>> missing_;
};

/// Finds the components that tables of a recipe ask for. Errors are collected, and thrown all at once.
class ComponentChooser {
 public:
  /// The catalog must outlive the choices.
  explicit ComponentChooser(const Catalog& catalog) : catalog_(catalog) {}

  /// Fills a choice from a value that should be a table with a `type`.
  /// @param title how messages name the table: "[sampler]"
  /// @param reserved keys of the table that are somebody else's, `type` among them
  template <class Role>
  void choose(const Value& table, const std::string& title, const std::vector<std::string>& reserved,
              Choice<Role>& choice) {
    choice.location = table.location();
    const auto* name = type_of(table, title, std::string(Role::role_name));
    if (name == nullptr) return;
    choice.written = *table.as<Table>();
    choice.name = *name;
    choice.factory = catalog_.find<Role>(*name);
    if (!is_usable(choice.factory, table, std::string(Role::role_name), reserved)) return;
    auto told = refused_keys(choice.factory->info(), table);
    told.insert(told.end(), reserved.begin(), reserved.end());
    choice.params = guarded(choice.factory->info().subject(),
                            [&] { return choice.factory->parse(table, diagnostics, told); });
  }

  /// "choose 'a' or 'b'", or why there is nothing to choose from.
  [[nodiscard]] std::string what_there_is(const std::string& role) const;

  [[nodiscard]] const Catalog& catalog() const { return catalog_; }

  /// Takes over what another reading of a part of the recipe has found.
  void add(const RecipeError& error);

  /// Throws RecipeError with every error found, each once; when a component is missing,
  /// MissingComponentError, which holds the other errors too.
  void throw_if_any() const;

  Diagnostics diagnostics;

 private:
  const std::string* type_of(const Value& table, const std::string& title, const std::string& role);
  bool is_usable(const ComponentFactory* factory, const Value& table, const std::string& role,
                 const std::vector<std::string>& reserved);
  /// Keys that would be unknown to the component, and of which an error says what to do instead.
  std::vector<std::string> refused_keys(const ComponentInfo& info, const Value& table);
  [[nodiscard]] std::vector<std::string> names_of(const std::string& role) const;

  const Catalog& catalog_;
  std::vector<std::pair<std::string, std::string>> missing_;
};

}  // namespace kindred::recipe
