// Writing data sets as the NAIC competition (2019) had its own.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/layout.h"

namespace kindred::naic {

/// train/image/NNNNNNNNN.png with train/label/train_list.txt, query_a and gallery_a. Training images need an
/// identity; cameras are lost. The layout has no place for labels of the test images: answers.csv holds them,
/// a manifest of the test set.
class NaicLayout final : public Layout {
 public:
  struct Params {};
  static Schema<Params> schema();

  NaicLayout(const Params& params, const Context& context);

  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override;
};

}  // namespace kindred::naic
