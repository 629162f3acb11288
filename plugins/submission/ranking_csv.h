// Rankings as a table.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/writer.h"

namespace kindred::submission {

/// query,rank,gallery,similarity: a line for each pair, ranks from 1, paths as the data set has them; the
/// last cell is empty where the similarity is not known.
class RankingCsv final : public Writer {
 public:
  struct Params {
    std::int64_t top = 200;
  };
  static Schema<Params> schema();

  RankingCsv(const Params& params, const Context& context);
  [[nodiscard]] std::string file_name() const override { return "submission.csv"; }
  [[nodiscard]] std::int64_t top() const override { return params_.top; }
  [[nodiscard]] std::string name_of(const std::string& path) const override { return path; }
  void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const override;
  [[nodiscard]] std::vector<RankedQuery> read(std::istream& in) const override;

 private:
  Params params_;
};

}  // namespace kindred::submission
