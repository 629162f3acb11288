// Images anywhere, described by a table.
#pragma once

#include <filesystem>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::manifest {

/// A CSV file with a header and a row for each image; samples keep the order of the rows. Columns, in any
/// order:
///   path      where the image is, relative to the CSV file, with '/'; each only once
///   split     train, query or gallery
///   identity  a whole number from 0 or a name; -1 for junk that evaluation ignores; empty: unlabeled
///   camera    a whole number from 0 or a name; empty: unknown
///   domain    any text
///   clothes   a whole number from 0, or a name, for what the identity wears; empty: unknown
///   view      a whole number from 0, or a name, for the side that is seen; empty: unknown
///   tracklet  any text, the same for the frames of one sequence; empty: a single image
/// All but the first two may be left out. Another column is an error.
class Manifest final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static Schema<Params> schema();

  Manifest(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when the first line names the columns path and split, likely when a file is called .csv.
  [[nodiscard]] Recognition recognize() const override;

 private:
  std::filesystem::path file_;
};

}  // namespace kindred::manifest
