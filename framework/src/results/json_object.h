// JSON files of results: all written alike, and read with errors that name file and key. For this room's own
// use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::results {

using Json = nlohmann::ordered_json;

/// Indented by two spaces, atomically. Bytes that are not UTF-8 become U+FFFD.
void write_json(const std::filesystem::path& file, const Json& json);

/// null for what is missing.
template <class T>
[[nodiscard]] Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// An object of a file. Errors are DataErrors: "FILE: error: 'truth.precision' is of type string and must be
/// a number".
class JsonObject {
 public:
  /// @param place where in the file the object stands: "truth", or "" for the whole
  JsonObject(std::filesystem::path file, Json json, std::string place = "");

  /// The object that a file holds. Throws when the file cannot be read, is not JSON (with the line), or holds
  /// something else.
  [[nodiscard]] static JsonObject read(const std::filesystem::path& file);
  /// The same for a file that holds a list of objects.
  [[nodiscard]] static std::vector<JsonObject> read_list(const std::filesystem::path& file);

  /// T: std::string, double, std::int64_t, std::vector<std::string>, or a std::map with strings as keys and
  /// one of these as values.
  template <class T>
  [[nodiscard]] T get(const std::string& key) const {
    const auto& value = at(key);
    constexpr const T* wanted = nullptr;
    if (!is(value, wanted)) throw wrong_type(key, value, kind(wanted));
    return value.template get<T>();
  }
  /// Nothing when the key is missing or its value is null.
  template <class T>
  [[nodiscard]] std::optional<T> find(const std::string& key) const {
    return has(key) ? std::optional(get<T>(key)) : std::nullopt;
  }
  [[nodiscard]] JsonObject object(const std::string& key) const;
  [[nodiscard]] std::optional<JsonObject> find_object(const std::string& key) const;
  [[nodiscard]] std::vector<JsonObject> objects(const std::string& key) const;

  /// The whole object.
  [[nodiscard]] const Json& json() const { return json_; }
  /// What to throw when a key's value cannot be.
  [[nodiscard]] DataError error(const std::string& key, const std::string& message) const;

 private:
  [[nodiscard]] static bool is(const Json& value, const std::string*) { return value.is_string(); }
  [[nodiscard]] static bool is(const Json& value, const double*) { return value.is_number(); }
  [[nodiscard]] static bool is(const Json& value, const std::int64_t*) {
    // One that is larger would be read as a negative one.
    return value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::int64_t>() >= 0);
  }
  template <class V>
  [[nodiscard]] static bool is(const Json& value, const std::vector<V>*) {
    return value.is_array() && all_are<V>(value);
  }
  template <class V>
  [[nodiscard]] static bool is(const Json& value, const std::map<std::string, V>*) {
    return value.is_object() && all_are<V>(value);
  }
  template <class V>
  [[nodiscard]] static bool all_are(const Json& values) {
    return std::all_of(values.begin(), values.end(),
                       [](const Json& value) { return is(value, static_cast<const V*>(nullptr)); });
  }

  /// "a string", "a list of strings", ...
  [[nodiscard]] static std::string kind(const std::string*) { return "a string"; }
  [[nodiscard]] static std::string kind(const double*) { return "a number"; }
  [[nodiscard]] static std::string kind(const std::int64_t*) { return "a whole number"; }
  template <class V>
  [[nodiscard]] static std::string kind(const std::vector<V>*) {
    return "a list of " + kinds(static_cast<const V*>(nullptr));
  }
  template <class V>
  [[nodiscard]] static std::string kind(const std::map<std::string, V>*) {
    return "an object of " + kinds(static_cast<const V*>(nullptr));
  }
  [[nodiscard]] static std::string kinds(const std::string*) { return "strings"; }
  [[nodiscard]] static std::string kinds(const double*) { return "numbers"; }
  [[nodiscard]] static std::string kinds(const std::int64_t*) { return "whole numbers"; }
  template <class V>
  [[nodiscard]] static std::string kinds(const std::vector<V>*) {
    return "lists of " + kinds(static_cast<const V*>(nullptr));
  }

  [[nodiscard]] bool has(const std::string& key) const;
  [[nodiscard]] const Json& at(const std::string& key) const;
  [[nodiscard]] std::string place_of(const std::string& key) const;
  [[nodiscard]] DataError wrong_type(const std::string& key, const Json& value,
                                     const std::string& wanted) const;

  std::filesystem::path file_;
  Json json_;
  std::string place_;
};

}  // namespace kindred::results
