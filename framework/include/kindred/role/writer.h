// Role "writer": writes rankings in a submission format, such as that of a competition.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"

namespace kindred {

/// The best gallery images of one query, the most similar first.
struct RankedQuery {
  std::string query;
  std::vector<std::string> gallery;
  std::vector<float> similarities;  ///< one for each gallery image; empty if they are not known
};

class KINDRED_API Writer {
 public:
  using Role = Writer;
  using Handle = std::unique_ptr<Writer>;
  static constexpr std::string_view role_name = "writer";
  struct Context {};

  virtual ~Writer();

  /// The name of the file to write: "submission.json".
  [[nodiscard]] virtual std::string file_name() const = 0;
  /// How many gallery images the format lists for each query; a smaller gallery is listed completely.
  [[nodiscard]] virtual std::int64_t top() const = 0;
  /// The name that the format uses for the image with this path in the data set.
  [[nodiscard]] virtual std::string name_of(const std::string& path) const = 0;

  /// @param rankings with the names of name_of()
  virtual void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const = 0;
  /// Reads what write() wrote, in the same order, to verify a written file. Similarities may be missing or
  /// rounded. Throws ComponentError with the position if the text does not have the format.
  [[nodiscard]] virtual std::vector<RankedQuery> read(std::istream& in) const = 0;
};

}  // namespace kindred
