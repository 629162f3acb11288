// What the NAIC 2019 competition took.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/writer.h"

namespace kindred::submission {

/// A JSON object: query file name -> list of the best gallery file names, names without folders. Queries are
/// in the order of the rankings, one a line.
class NaicJson final : public Writer {
 public:
  struct Params {
    std::int64_t top = 200;
  };
  static Schema<Params> schema();

  NaicJson(const Params& params, const Context& context);
  [[nodiscard]] std::string file_name() const override { return "submission.json"; }
  [[nodiscard]] std::int64_t top() const override { return params_.top; }
  [[nodiscard]] std::string name_of(const std::string& path) const override;
  /// Throws ComponentError for a name that is not UTF-8, which JSON cannot hold.
  void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const override;
  [[nodiscard]] std::vector<RankedQuery> read(std::istream& in) const override;

 private:
  Params params_;
};

}  // namespace kindred::submission
