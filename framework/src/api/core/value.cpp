#include "kindred/core/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace kindred {
namespace {

std::string quoted(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '\b':
        result += "\\b";
        break;
      case '\t':
        result += "\\t";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\f':
        result += "\\f";
        break;
      case '\r':
        result += "\\r";
        break;
      default:
        if (code < 0x20 || code == 0x7f) {
          result += "\\u00";
          result += digits[code >> 4U];
          result += digits[code & 0xfU];
        } else {
          result += c;
        }
    }
  }
  return result + '"';
}

std::string key_toml(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? key : quoted(key);
}

/// The shortest digits that give the same number again, always recognizable as a number with a fraction.
std::string double_toml(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

bool equal_tables(const Table& a, const Table& b) {
  if (a.entries().size() != b.entries().size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Entry& entry) {
    const auto* other = b.find(entry.key);
    return other != nullptr && entry.value == *other;
  });
}

struct Toml {
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return double_toml(number); }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const Array& list) const {
    std::string result = "[";
    for (const auto& element : list) {
      if (result.size() > 1) result += ", ";
      result += element.to_toml();
    }
    return result + "]";
  }
  std::string operator()(const Table& table) const {
    std::string result;
    for (const auto& entry : table.entries()) {
      result += result.empty() ? "{ " : ", ";
      result += key_toml(entry.key) + " = " + entry.value.to_toml();
    }
    return result.empty() ? "{}" : result + " }";
  }
};

}  // namespace

Table::Table() = default;
Table::Table(const Table&) = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(const Table&) = default;
Table& Table::operator=(Table&&) noexcept = default;
Table::~Table() = default;

const Value* Table::find(std::string_view key) const {
  for (const auto& entry : entries_) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Value* Table::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));  // NOLINT: this table is not const
}

Value& Table::set(std::string key, Value value, SourceLocation key_location) {
  for (auto& entry : entries_) {
    if (entry.key != key) continue;
    entry.value = std::move(value);
    entry.key_location = std::move(key_location);
    return entry.value;
  }
  entries_.push_back({std::move(key), std::move(key_location), std::move(value)});
  return entries_.back().value;
}

void Table::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

Value::Value() : data_(Table()) {}

std::string Value::type_name() const {
  constexpr std::array<std::string_view, std::variant_size_v<Data>> names = {
      "true or false", "a whole number", "a number", "text", "a list", "a table"};
  return std::string(names[data_.index()]);
}

std::string Value::to_toml() const {
  return std::visit(Toml(), data_);
}

bool Value::operator==(const Value& other) const {
  if (data_.index() != other.data_.index()) return false;
  if (const auto* table = as<Table>()) return equal_tables(*table, *other.as<Table>());
  if (const auto* list = as<Array>()) return *list == *other.as<Array>();
  if (const auto* number = as<double>()) {
    const auto second = *other.as<double>();
    return *number == second || (std::isnan(*number) && std::isnan(second));
  }
  if (const auto* text = as<std::string>()) return *text == *other.as<std::string>();
  if (const auto* number = as<std::int64_t>()) return *number == *other.as<std::int64_t>();
  return *as<bool>() == *other.as<bool>();
}

}  // namespace kindred
