// JSON of strangers.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::file {

/// For ordered_json::parse(): refuses nesting that no file of Kindred has. What copies and writes JSON calls
/// itself for each level, so that some megabytes of brackets would end the process.
class ShallowJson {
 public:
  static constexpr int most_levels = 64;

  /// @param file where the text stands, for the error
  explicit ShallowJson(std::filesystem::path file) : file_(std::move(file)) {}

  /// Throws DataError.
  bool operator()(int depth, nlohmann::ordered_json::parse_event_t, const nlohmann::ordered_json&) const {
    if (depth <= most_levels) return true;
    throw DataError(file_, "is not a file of Kindred, or is damaged: its JSON is nested more than " +
                               std::to_string(most_levels) + " levels deep");
  }

 private:
  std::filesystem::path file_;
};

}  // namespace kindred::file
