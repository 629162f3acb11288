#include "market1501_layout.h"

#include <cstdint>
#include <map>
#include <tuple>

#include "kindred/core/error.h"

namespace kindred::market1501 {
namespace {

const char* folder_of(Split split) {
  switch (split) {
    case Split::train:
      return "bounding_box_train";
    case Split::query:
      return "query";
    case Split::gallery:
      return "bounding_box_test";
  }
  return "";
}

}  // namespace

Schema<Market1501Layout::Params> Market1501Layout::schema() {
  return Schema<Params>(
      "Market-1501's folders and file names, which hold identity and camera, but no domain, clothes, view or "
      "tracklet.",
      "Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015");
}

Market1501Layout::Market1501Layout(const Params& /*params*/, const Context& /*context*/) {}

LayoutFiles Market1501Layout::files(const std::vector<Sample>& samples, const std::string& ending) const {
  LayoutFiles files;
  std::map<std::tuple<Split, std::int64_t, std::int64_t>, std::int64_t> numbers;
  bool any_query = false;
  bool any_gallery = false;
  for (const auto& sample : samples) {
    if (sample.identity == unlabeled_identity) {
      throw DataError(sample.path,
                      "is unlabeled, but the file names of the layout 'market1501' need an identity; use the "
                      "layout 'manifest'");
    }
    if (sample.camera == unknown_camera) {
      throw DataError(
          sample.path,
          "has no camera, but the file names of the layout 'market1501' need one; use the layout 'manifest'");
    }
    any_query = any_query || sample.split == Split::query;
    any_gallery = any_gallery || sample.split == Split::gallery;
    const auto number = ++numbers[{sample.split, sample.identity, sample.camera}];
    files.images.push_back(std::string(folder_of(sample.split)) + '/' +
                           (sample.identity == junk_identity ? "-1" : zero_padded(sample.identity, 4)) +
                           "_c" + std::to_string(sample.camera) + "s1_" + zero_padded(number, 6) + "_00." +
                           ending);
  }
  if (any_query != any_gallery) {
    throw DataError("layout 'market1501'",
                    std::string("needs both queries and gallery or neither, but the data set has no ") +
                        (any_query ? "gallery" : "queries") + "; use the layout 'manifest'");
  }
  return files;
}

}  // namespace kindred::market1501
