// Rankings as lines of words.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/writer.h"

namespace my_plugins {

/// A line for each query: its name and those of the best gallery images, separated by spaces; names without
/// folders. A name with white space cannot be written.
class LineLists final : public kindred::Writer {
 public:
  struct Params {
    std::int64_t top = 100;
  };
  static kindred::Schema<Params> schema();

  LineLists(const Params& params, const Context& context);

  [[nodiscard]] std::string file_name() const override { return "rankings.txt"; }
  [[nodiscard]] std::int64_t top() const override { return params_.top; }
  [[nodiscard]] std::string name_of(const std::string& path) const override;
  void write(const std::vector<kindred::RankedQuery>& rankings, std::ostream& out) const override;
  [[nodiscard]] std::vector<kindred::RankedQuery> read(std::istream& in) const override;

 private:
  Params params_;
};

}  // namespace my_plugins
