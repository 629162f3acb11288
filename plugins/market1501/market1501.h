// Data sets whose files are named like Market-1501's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "kindred/core/schema.h"
#include "kindred/image/named_images.h"

namespace kindred::market1501 {

/// Reads IIII_cC[sS][_anything].ending, with any number of digits for I and C: `0002_c1s1_000451_03.jpg`
/// (Market-1501), `0001_c2_f0046182.jpg` (DukeMTMC-reID), `0000_c14_0002.jpg` (MSMT17 as it is commonly
/// renamed). Identity -1 is junk. Nothing when the name is of another form.
[[nodiscard]] std::optional<NameFacts> parse_market_name(std::string_view name);

/// Market-1501 (Zheng et al., ICCV 2015), DukeMTMC-reID (Zheng et al., ICCV 2017), Occluded-Duke (Miao et
/// al., ICCV 2019) and others: the folders bounding_box_train, query and bounding_box_test (the gallery).
class Market1501 final : public NamedImages {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "bounding_box_train";
    std::string query = "query";
    std::string gallery = "bounding_box_test";
  };
  static Schema<Params> schema();

  Market1501(const Params& params, const Context& context);
};

}  // namespace kindred::market1501
