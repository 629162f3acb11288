// How each type of parameter is read from a recipe and written to one.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/schema.h"

namespace kindred::detail {
namespace {

/// Whole numbers serve for numbers.
std::optional<double> number_in(const Value& value) {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* number = value.as<double>()) return *number;
  return std::nullopt;
}

}  // namespace

std::string Codec<bool>::type() {
  return "true or false";
}
bool Codec<bool>::read(const Value& value, bool& out) {
  const auto* flag = value.as<bool>();
  if (flag != nullptr) out = *flag;
  return flag != nullptr;
}
std::optional<Value> Codec<bool>::write(const bool& value) {
  return Value(value);
}

std::string Codec<std::int64_t>::type() {
  return "whole number";
}
bool Codec<std::int64_t>::read(const Value& value, std::int64_t& out) {
  const auto* number = value.as<std::int64_t>();
  if (number != nullptr) out = *number;
  return number != nullptr;
}
std::optional<Value> Codec<std::int64_t>::write(const std::int64_t& value) {
  return Value(value);
}

std::string Codec<double>::type() {
  return "number";
}
bool Codec<double>::read(const Value& value, double& out) {
  const auto number = number_in(value);
  if (number) out = *number;
  return number.has_value();
}
std::optional<Value> Codec<double>::write(const double& value) {
  return Value(value);
}

std::string Codec<std::string>::type() {
  return "text";
}
bool Codec<std::string>::read(const Value& value, std::string& out) {
  const auto* text = value.as<std::string>();
  if (text != nullptr) out = *text;
  return text != nullptr;
}
std::optional<Value> Codec<std::string>::write(const std::string& value) {
  return Value(value);
}

std::string Codec<std::filesystem::path>::type() {
  return "path";
}
bool Codec<std::filesystem::path>::read(const Value& value, std::filesystem::path& out) {
  const auto* text = value.as<std::string>();
  if (text != nullptr) out = *text;
  return text != nullptr;
}
std::optional<Value> Codec<std::filesystem::path>::write(const std::filesystem::path& value) {
  return Value(value.string());
}

namespace {

template <class T>
bool read_list(const Value& value, std::vector<T>& out) {
  const auto* list = value.as<Array>();
  if (list == nullptr) return false;
  std::vector<T> read;
  for (const auto& element : *list) {
    T item{};
    if (!Codec<T>::read(element, item)) return false;
    read.push_back(std::move(item));
  }
  out = std::move(read);
  return true;
}

template <class T>
std::optional<Value> write_list(const std::vector<T>& items) {
  Array list;
  for (const auto& item : items) list.emplace_back(item);
  return Value(std::move(list));
}

}  // namespace

std::string Codec<std::vector<std::int64_t>>::type() {
  return "list of whole numbers";
}
bool Codec<std::vector<std::int64_t>>::read(const Value& value, std::vector<std::int64_t>& out) {
  return read_list(value, out);
}
std::optional<Value> Codec<std::vector<std::int64_t>>::write(const std::vector<std::int64_t>& value) {
  return write_list(value);
}

std::string Codec<std::vector<double>>::type() {
  return "list of numbers";
}
bool Codec<std::vector<double>>::read(const Value& value, std::vector<double>& out) {
  return read_list(value, out);
}
std::optional<Value> Codec<std::vector<double>>::write(const std::vector<double>& value) {
  return write_list(value);
}

std::string Codec<std::vector<std::string>>::type() {
  return "list of texts";
}
bool Codec<std::vector<std::string>>::read(const Value& value, std::vector<std::string>& out) {
  return read_list(value, out);
}
std::optional<Value> Codec<std::vector<std::string>>::write(const std::vector<std::string>& value) {
  return write_list(value);
}

std::string Codec<std::map<std::string, std::int64_t>>::type() {
  return "table of whole numbers";
}
bool Codec<std::map<std::string, std::int64_t>>::read(const Value& value,
                                                      std::map<std::string, std::int64_t>& out) {
  const auto* table = value.as<Table>();
  if (table == nullptr) return false;
  std::map<std::string, std::int64_t> read;
  for (const auto& entry : table->entries()) {
    if (!Codec<std::int64_t>::read(entry.value, read[entry.key])) return false;
  }
  out = std::move(read);
  return true;
}
std::optional<Value> Codec<std::map<std::string, std::int64_t>>::write(
    const std::map<std::string, std::int64_t>& value) {
  Table table;
  for (const auto& [key, number] : value) table.set(key, Value(number));
  return Value(std::move(table));
}

std::string Codec<std::optional<double>>::type() {
  return Codec<double>::type();
}
bool Codec<std::optional<double>>::read(const Value& value, std::optional<double>& out) {
  const auto number = number_in(value);
  if (number) out = number;
  return number.has_value();
}
std::optional<Value> Codec<std::optional<double>>::write(const std::optional<double>& value) {
  return value ? std::optional<Value>(*value) : std::nullopt;
}

std::string Codec<std::optional<std::int64_t>>::type() {
  return Codec<std::int64_t>::type();
}
bool Codec<std::optional<std::int64_t>>::read(const Value& value, std::optional<std::int64_t>& out) {
  const auto* number = value.as<std::int64_t>();
  if (number != nullptr) out = *number;
  return number != nullptr;
}
std::optional<Value> Codec<std::optional<std::int64_t>>::write(const std::optional<std::int64_t>& value) {
  return value ? std::optional<Value>(*value) : std::nullopt;
}

std::string Codec<std::optional<std::string>>::type() {
  return Codec<std::string>::type();
}
bool Codec<std::optional<std::string>>::read(const Value& value, std::optional<std::string>& out) {
  const auto* text = value.as<std::string>();
  if (text != nullptr) out = *text;
  return text != nullptr;
}
std::optional<Value> Codec<std::optional<std::string>>::write(const std::optional<std::string>& value) {
  return value ? std::optional<Value>(*value) : std::nullopt;
}

}  // namespace kindred::detail
