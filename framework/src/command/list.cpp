#include "command/list.h"

#include "text/text_table.h"

namespace kindred::command {

std::string list_components(const Catalog& catalog) {
  text::TextTable table;
  table.heads = {"COMPONENT", "PLUGIN", "SUMMARY"};
  table.widths = {40, 24};
  std::string role;
  for (const auto* factory : catalog.components()) {
    const auto& info = factory->info();
    if (info.role != role && !role.empty()) table.rows.push_back({"", "", ""});
    role = info.role;
    table.rows.push_back({info.id(), info.plugin, info.summary});
  }
  if (table.rows.empty()) return "No components: no plugin was loaded.\n";
  return table.str();
}

}  // namespace kindred::command
