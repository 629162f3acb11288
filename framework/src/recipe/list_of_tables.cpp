#include "recipe/list_of_tables.h"

#include <algorithm>

namespace kindred::recipe {

bool is_list_of_tables(const Value& value) {
  const auto* list = value.as<Array>();
  return list != nullptr && !list->empty() &&
         std::all_of(list->begin(), list->end(),
                     [](const Value& element) { return element.as<Table>() != nullptr; });
}

std::string entry_name(const Value& entry) {
  const auto* table = entry.as<Table>();
  if (table == nullptr) return "";
  for (const auto* key : {"name", "type"}) {
    const auto* value = table->find(key);
    const auto* text = value == nullptr ? nullptr : value->as<std::string>();
    if (text != nullptr) return *text;
  }
  return "";
}

}  // namespace kindred::recipe
