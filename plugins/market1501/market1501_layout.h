// Writing data sets whose files are named like Market-1501's.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/layout.h"

namespace kindred::market1501 {

/// bounding_box_train, query and bounding_box_test with IIII_cCs1_FFFFFF_00.jpg: identity (junk: -1), camera
/// and the number of the image among those of the two in a folder. Each sample needs an identity and a
/// camera; domains, views and tracklets are lost.
class Market1501Layout final : public Layout {
 public:
  struct Params {};
  static Schema<Params> schema();

  Market1501Layout(const Params& params, const Context& context);

  [[nodiscard]] std::string ending() const override { return "jpg"; }
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override;
};

}  // namespace kindred::market1501
