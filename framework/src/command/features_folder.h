// Where the features of a run lie.
#pragma once

#include <filesystem>

namespace kindred::command {

/// The folder itself when it holds features of query or gallery; else, of a run's folder, that of the only
/// stage with features. Throws DataError when there is none, naming what the path is, or when there are
/// several, naming them.
[[nodiscard]] std::filesystem::path features_folder(const std::filesystem::path& folder);

/// The same for a search, which needs both. Throws DataError also when there is only one of them.
[[nodiscard]] std::filesystem::path search_features_folder(const std::filesystem::path& folder);

}  // namespace kindred::command
