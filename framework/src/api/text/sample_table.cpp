#include "kindred/text/sample_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/text/csv.h"

namespace kindred {

namespace {

/// A column that only some lists have.
struct OptionalColumn {
  const char* name;
  std::string (*cell)(const Sample& sample);  ///< "": unknown
};

std::string number_or_nothing(std::int64_t number, std::int64_t unknown) {
  return number == unknown ? "" : std::to_string(number);
}

constexpr OptionalColumn optional_columns[] = {
    {"clothes", [](const Sample& sample) { return number_or_nothing(sample.clothes, unknown_clothes); }},
    {"view", [](const Sample& sample) { return number_or_nothing(sample.view, unknown_view); }},
    {"tracklet", [](const Sample& sample) { return sample.tracklet; }},
};

}  // namespace

void write_sample_table(std::ostream& out, const std::vector<Sample>& samples) {
  std::vector<std::string> cells{"path", "identity", "camera", "domain", "split"};
  std::vector<const OptionalColumn*> known;
  for (const auto& column : optional_columns) {
    const bool any = std::any_of(samples.begin(), samples.end(),
                                 [&](const Sample& sample) { return !column.cell(sample).empty(); });
    if (!any) continue;
    known.push_back(&column);
    cells.emplace_back(column.name);
  }
  write_csv_row(out, cells);
  for (const auto& sample : samples) {
    cells = {sample.path, number_or_nothing(sample.identity, unlabeled_identity),
             number_or_nothing(sample.camera, unknown_camera), sample.domain, split_name(sample.split)};
    for (const auto* column : known) cells.push_back(column->cell(sample));
    write_csv_row(out, cells);
  }
}

}  // namespace kindred
