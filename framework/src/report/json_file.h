// JSON that somebody else may have damaged.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kindred::report {

/// Throws DataError when the file cannot be read, is no JSON, or holds no object.
[[nodiscard]] nlohmann::ordered_json read_json(const std::filesystem::path& file);

/// A key's number or text; nothing when it is missing or of another type.
[[nodiscard]] std::optional<double> number_at(const nlohmann::ordered_json& object, const std::string& key);
[[nodiscard]] std::optional<std::string> text_at(const nlohmann::ordered_json& object,
                                                 const std::string& key);

}  // namespace kindred::report
