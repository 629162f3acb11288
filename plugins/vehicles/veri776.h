// VeRi-776 as its authors distribute it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/image/named_images.h"

namespace kindred::vehicles {

/// Reads IIII_cCCC_..., such as 0002_c002_00030600_0.jpg; nothing when the name is of another form.
[[nodiscard]] std::optional<NameFacts> parse_veri_name(std::string_view name);

/// VeRi-776 (Liu et al., ECCV 2016): the folders image_train, image_query and image_test (the gallery). Where
/// the lists name_train.txt, name_query.txt and name_test.txt are there, they say which images belong to the
/// data set, and each has to be there. Where keypoint_train.txt and keypoint_test.txt are there (Wang et al.,
/// ICCV 2017), with lines `PATH ... VIEW`, they say from which of eight sides, 0 to 7, an image shows a
/// vehicle; the second is of queries and gallery. An image that they do not name has an unknown view, and of
/// two lines the last counts.
class Veri776 final : public NamedImages {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "image_train";
    std::string query = "image_query";
    std::string gallery = "image_test";
  };
  static Schema<Params> schema();

  Veri776(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;

 protected:
  [[nodiscard]] std::vector<SplitFolders::Image> images() const override;
};

}  // namespace kindred::vehicles
