// Data sets whose files are named like Market-1501's.
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

namespace kindred::market1501 {

/// What a file name of Market-1501 says.
struct MarketName {
  std::int64_t identity = 0;
  std::int64_t camera = 0;
};

/// Reads IIII_cC[sS][_anything].ending, with any number of digits for I and C: `0002_c1s1_000451_03.jpg`
/// (Market-1501), `0001_c2_f0046182.jpg` (DukeMTMC-reID), `0000_c14_0002.jpg` (MSMT17 as it is commonly
/// renamed). Identity -1 is junk. Nothing when the name is of another form.
[[nodiscard]] std::optional<MarketName> parse_market_name(std::string_view name);

/// Market-1501 (Zheng et al., ICCV 2015), DukeMTMC-reID (Zheng et al., ICCV 2017), Occluded-Duke (Miao et
/// al., ICCV 2019) and others: the folders bounding_box_train, query and bounding_box_test (the gallery).
/// Either the first or the other two may be missing.
class Market1501 final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "bounding_box_train";
    std::string query = "query";
    std::string gallery = "bounding_box_test";
  };
  static Schema<Params> schema();

  Market1501(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when all three folders are there; likely when only those of training or of testing are, and
  /// their first image is named as it should be.
  [[nodiscard]] Recognition recognize() const override;

 private:
  std::filesystem::path root_;
  SplitFolders folders_;
};

}  // namespace kindred::market1501
