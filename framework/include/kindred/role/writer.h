// Role "writer": rankings in the format in which somebody else wants them, such as a competition.
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
  std::vector<float> similarities;  ///< one for each, or none when they are not known
};

class KINDRED_API Writer {
 public:
  using Role = Writer;
  using Handle = std::unique_ptr<Writer>;
  static constexpr std::string_view role_name = "writer";
  struct Context {};

  virtual ~Writer();

  /// Of the file that is written: "submission.json".
  [[nodiscard]] virtual std::string file_name() const = 0;
  /// How many gallery images the format wants of each query; a smaller gallery is listed whole.
  [[nodiscard]] virtual std::int64_t top() const = 0;
  /// What the format calls an image whose path in the data set this is.
  [[nodiscard]] virtual std::string name_of(const std::string& path) const = 0;

  /// @param rankings with the names that the format uses
  virtual void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const = 0;
  /// What write() wrote, in its order, so that a written file can be checked. Similarities may be missing
  /// or rounded. Throws ComponentError saying where it is not of the format.
  [[nodiscard]] virtual std::vector<RankedQuery> read(std::istream& in) const = 0;
};

}  // namespace kindred
