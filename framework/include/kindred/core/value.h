// A recipe as a tree of TOML values, each with its source location.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"

namespace kindred {

class Value;
using Array = std::vector<Value>;

struct Entry;

/// Keys in the order in which they were written.
class KINDRED_API Table {
 public:
  Table();
  Table(const Table&);
  Table(Table&&) noexcept;
  Table& operator=(const Table&);
  Table& operator=(Table&&) noexcept;
  ~Table();

  /// The value of `key`, or nullptr.
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] Value* find(std::string_view key);
  /// Adds the key, or replaces its value and location.
  Value& set(std::string key, Value value, SourceLocation key_location = {});
  void erase(std::string_view key);
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  std::vector<Entry> entries_;
};

class KINDRED_API Value {
 public:
  using Data = std::variant<bool, std::int64_t, double, std::string, Array, Table>;

  Value();  ///< an empty table
  // NOLINTNEXTLINE(google-explicit-constructor): a literal of any of these is a value
  Value(Data data, SourceLocation location = {}) : data_(std::move(data)), location_(std::move(location)) {}

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] const SourceLocation& location() const { return location_; }

  /// "true or false", "a whole number", "a number", "text", "a list", "a table": for messages.
  [[nodiscard]] std::string type_name() const;
  /// As TOML on one line (tables inline); parsing it returns an equal value.
  [[nodiscard]] std::string to_toml() const;
  /// Compares the data, not the locations and not the order of keys in a table. 1 and 1.0 differ.
  bool operator==(const Value& other) const;

 private:
  Data data_;
  SourceLocation location_;
};

struct KINDRED_API Entry {
  std::string key;
  SourceLocation key_location;
  Value value;
};

}  // namespace kindred
