// VeRi-776 as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/image/split_folders.h"
#include "kindred/role/dataset.h"

namespace kindred::vehicles {

/// What a file name of VeRi-776 says.
struct VeriName {
  std::int64_t identity = 0;
  std::int64_t camera = 0;
};

/// Reads IIII_cCCC_..., such as 0002_c002_00030600_0.jpg; nothing when the name is of another form.
[[nodiscard]] std::optional<VeriName> parse_veri_name(std::string_view name);

/// VeRi-776 (Liu et al., ECCV 2016): the folders image_train, image_query and image_test (the gallery). Where
/// the lists name_train.txt, name_query.txt and name_test.txt are there, they say which images belong to the
/// data set, and each has to be there. Either training or testing may be missing.
class Veri776 final : public Dataset {
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
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain with all three folders and a name as it should be, likely with training or testing alone.
  [[nodiscard]] Recognition recognize() const override;

 private:
  std::filesystem::path root_;
  SplitFolders folders_;
};

}  // namespace kindred::vehicles
