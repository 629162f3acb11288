// write_recipe() of recipe.h.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "recipe/list_of_tables.h"
#include "recipe/recipe.h"

namespace kindred::recipe {
namespace {

constexpr std::size_t line_width = 100;

/// The key alone as TOML, with quotes where it needs them.
std::string key_text(const std::string& key) {
  Table table;
  table.set(key, Value(true));
  const auto text = Value(std::move(table)).to_toml();  // { key = true }
  return text.substr(2, text.size() - std::string_view("{  = true }").size());
}

std::string value_text(const Value& value, std::size_t indent) {
  auto line = value.to_toml();
  const auto* list = value.as<Array>();
  if (list == nullptr || indent + line.size() <= line_width) return line;
  std::string text = "[";
  std::size_t column = line_width;
  for (const auto& element : *list) {
    const auto item = element.to_toml() + ",";
    if (column + item.size() + 1 > line_width) {
      text += "\n ";
      column = 1;
    }
    text += " " + item;
    column += item.size() + 1;
  }
  return text + "\n]";
}

/// A table that holds nothing but tables needs no header of its own.
bool holds_tables_alone(const Table& table) {
  return !table.entries().empty() &&
         std::all_of(table.entries().begin(), table.entries().end(), [](const Entry& entry) {
           return entry.value.as<Table>() != nullptr || is_list_of_tables(entry.value);
         });
}

void write_table(const Table& table, const std::string& path, std::string& out) {
  for (const auto& entry : table.entries()) {
    if (entry.value.as<Table>() != nullptr || is_list_of_tables(entry.value)) continue;
    const auto key = key_text(entry.key) + " = ";
    out += key + value_text(entry.value, key.size()) + "\n";
  }
  for (const auto& entry : table.entries()) {
    const auto inner = path + (path.empty() ? "" : ".") + key_text(entry.key);
    const auto section = [&](const std::string& header, const Table& content) {
      if (!out.empty()) out += "\n";
      out += header + "\n";
      write_table(content, inner, out);
    };
    const auto* content = entry.value.as<Table>();
    if (content != nullptr && holds_tables_alone(*content)) {
      write_table(*content, inner, out);
    } else if (content != nullptr) {
      section("[" + inner + "]", *content);
    } else if (is_list_of_tables(entry.value)) {
      for (const auto& element : *entry.value.as<Array>()) section("[[" + inner + "]]", *element.as<Table>());
    }
  }
}

}  // namespace

std::string write_recipe(const Value& recipe) {
  const auto* table = recipe.as<Table>();
  if (table == nullptr) throw std::logic_error("a recipe is a table, not " + recipe.type_name());
  std::string text;
  write_table(*table, "", text);
  return text;
}

}  // namespace kindred::recipe
