// Descriptors of people that do not exist, of any number.
#pragma once

#include <cstdint>
#include <string>

#include "ranking/post_processing.h"

namespace kindred::bench {

struct Size {
  std::int64_t queries;
  std::int64_t gallery;
  std::int64_t dim;

  [[nodiscard]] std::string text() const;  ///< "3368 x 15913 x 2048"
};

/// "market": Market-1501's test set, 3368 x 15913 x 2048; "naic": the competition's second round, 2900 x
/// 77000 x 2048; or QUERIESxGALLERYxWIDTH. Throws std::invalid_argument.
[[nodiscard]] Size parse_size(const std::string& text);

/// Rows of length 1 that vary in 24 dimensions, as descriptors of people do in few: a point for each identity
/// and noise for each image, so that strangers are often nearer than friends. One gallery image in five is of
/// nobody that is searched. Six cameras in turn. The same every time.
[[nodiscard]] ranking::SearchInput made_features(const Size& size);

}  // namespace kindred::bench
