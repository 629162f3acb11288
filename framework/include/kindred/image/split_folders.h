// Data sets that have a folder for each split.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// Where the images of each split lie, relative to the root of a data set. Training alone is enough, and so
/// are query and gallery alone.
struct KINDRED_API SplitFolders {
  std::string train;
  std::string query;
  std::string gallery;

  struct Image {
    std::string path;  ///< relative to the root, with '/'
    std::string name;  ///< the file's alone
    Split split = Split::train;
  };

  /// The images that lie in the folders themselves: train, query, gallery, each sorted by bytes. Throws
  /// DataError when the root is not a folder, when no folder is there, when query or gallery is alone, and
  /// for a folder without images.
  [[nodiscard]] std::vector<Image> images(const std::filesystem::path& root) const;

  [[nodiscard]] bool has_train(const std::filesystem::path& root) const;
  /// Query and gallery.
  [[nodiscard]] bool has_test(const std::filesystem::path& root) const;
  /// The name of some image of training or else of the queries, for recognizing a data set.
  [[nodiscard]] std::optional<std::string> some_name(const std::filesystem::path& root) const;
};

/// Whether there is a folder, or a link to one. Throws DataError when the system does not say, as below a
/// folder without permission: what cannot be looked at is not absent.
[[nodiscard]] KINDRED_API bool is_folder(const std::filesystem::path& path);
/// Whether this names a folder or file below another one: relative, not empty, without "..".
[[nodiscard]] KINDRED_API bool is_inner_path(const std::string& path);
/// Whether there is a file, or a link to one. Throws DataError as is_folder() does.
[[nodiscard]] KINDRED_API bool is_file(const std::filesystem::path& path);

}  // namespace kindred
