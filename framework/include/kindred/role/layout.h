// Role "layout": how a data set lies on disk, for writing one that other programs read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// A text file beside the images.
struct KINDRED_API ListFile {
  std::string path;  ///< relative to the data set's root, with '/'
  std::string content;
};

/// All files of a data set.
struct KINDRED_API LayoutFiles {
  std::vector<std::string> images;  ///< for each sample its own, relative to the root, with '/'
  std::vector<ListFile> lists;
};

class KINDRED_API Layout {
 public:
  using Role = Layout;
  using Handle = std::unique_ptr<Layout>;
  static constexpr std::string_view role_name = "layout";
  struct Context {};

  virtual ~Layout();

  /// The ending that images have unless another is asked for: "png" unless overridden.
  [[nodiscard]] virtual std::string ending() const;

  /// Where everything goes; depends on the arguments alone. Throws DataError, naming the sample by its path,
  /// when one lacks what the layout cannot do without.
  /// @param ending of the images: "jpg"
  [[nodiscard]] virtual LayoutFiles files(const std::vector<Sample>& samples,
                                          const std::string& ending) const = 0;
};

/// A number for the name of a file: with zeros ahead of it, as many as it takes to `digits`.
[[nodiscard]] KINDRED_API std::string zero_padded(std::int64_t number, std::size_t digits);

}  // namespace kindred
