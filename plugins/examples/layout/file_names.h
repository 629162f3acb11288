// A data set whose file names say whom they show.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/layout.h"

namespace my_plugins {

/// Folders train, query and gallery; 0012_c3_0005.png is the sixth image that is written of identity 12, by
/// camera 3. A sample without identity or camera is an error.
class FileNames final : public kindred::Layout {
 public:
  struct Params {};
  static kindred::Schema<Params> schema();

  FileNames(const Params& params, const Context& context);

  [[nodiscard]] kindred::LayoutFiles files(const std::vector<kindred::Sample>& samples,
                                           const std::string& ending) const override;
};

}  // namespace my_plugins
