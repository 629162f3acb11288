// Writing data sets as images with a table.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/layout.h"

namespace kindred::manifest {

/// train, query and gallery with NNNNNN.png, and manifest.csv. Keeps everything that is known of a sample.
class ManifestLayout final : public Layout {
 public:
  struct Params {};
  static Schema<Params> schema();

  ManifestLayout(const Params& params, const Context& context);

  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override;
};

}  // namespace kindred::manifest
