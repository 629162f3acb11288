#include "command/list.h"

#include <set>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "text/text_table.h"

namespace kindred::command {

namespace {

RecipeError unknown_role(const Catalog& catalog, const std::string& role) {
  std::set<std::string> roles;
  for (const auto* factory : catalog.components()) roles.insert(factory->info().role);
  const std::vector<std::string> names(roles.begin(), roles.end());
  const auto near = nearest_name(role, names);
  return {SourceLocation{},
          "there is no component of a role '" + role + "'; " +
              (near.empty() ? "choose " + quoted_list(names) : "did you mean '" + near + "'?")};
}

}  // namespace

std::string list_components(const Catalog& catalog, const std::string& role) {
  if (catalog.components().empty()) return "No components: no plugin was loaded.\n";
  const auto components = catalog.components(role);
  if (components.empty()) throw unknown_role(catalog, role);
  text::TextTable table;
  table.heads = {"COMPONENT", "PLUGIN", "SUMMARY"};
  table.widths = {40, 24};
  std::string last;
  for (const auto* factory : components) {
    const auto& info = factory->info();
    if (info.role != last && !last.empty()) table.rows.push_back({"", "", ""});
    last = info.role;
    table.rows.push_back({info.id(), info.plugin, info.summary});
  }
  return table.str();
}

}  // namespace kindred::command
