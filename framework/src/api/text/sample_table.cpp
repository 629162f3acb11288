#include "kindred/text/sample_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kindred/text/csv.h"

namespace kindred {

void write_sample_table(std::ostream& out, const std::vector<Sample>& samples) {
  const bool clothes = std::any_of(samples.begin(), samples.end(),
                                   [](const Sample& sample) { return sample.clothes != unknown_clothes; });
  std::vector<std::string> cells{"path", "identity", "camera", "domain", "split"};
  if (clothes) cells.emplace_back("clothes");
  write_csv_row(out, cells);
  for (const auto& sample : samples) {
    cells = {sample.path, sample.identity == unlabelled_identity ? "" : std::to_string(sample.identity),
             sample.camera == unknown_camera ? "" : std::to_string(sample.camera), sample.domain,
             split_name(sample.split)};
    if (clothes) cells.push_back(sample.clothes == unknown_clothes ? "" : std::to_string(sample.clothes));
    write_csv_row(out, cells);
  }
}

}  // namespace kindred
