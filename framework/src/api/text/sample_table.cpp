#include "kindred/text/sample_table.h"

#include <string>

#include "kindred/text/csv.h"

namespace kindred {

void write_sample_table(std::ostream& out, const std::vector<Sample>& samples) {
  write_csv_row(out, {"path", "identity", "camera", "domain", "split"});
  for (const auto& sample : samples) {
    write_csv_row(out,
                  {sample.path, sample.identity == unlabelled_identity ? "" : std::to_string(sample.identity),
                   sample.camera == unknown_camera ? "" : std::to_string(sample.camera), sample.domain,
                   split_name(sample.split)});
  }
}

}  // namespace kindred
