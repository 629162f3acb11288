#include "file/sample_file.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "file/atomic_file.h"
#include "kindred/csv.h"
#include "kindred/error.h"

namespace kindred {
namespace {

/// A cell that may be empty, or a column that may be missing.
std::int64_t number_or(std::int64_t otherwise, const CsvTable& table, const CsvRow& row,
                       std::optional<std::size_t> column, std::int64_t minimum, const char* allowed) {
  if (!column || row.cells[*column].empty()) return otherwise;
  const auto number = table.integer(row, *column);
  if (number < minimum) {
    throw table.error(row, "the " + table.header()[*column] + " is " + std::to_string(number) +
                               "; allowed are whole numbers from 0, " + allowed);
  }
  return number;
}

Split split_of(const CsvTable& table, const CsvRow& row, std::optional<std::size_t> column) {
  if (!column) return Split::train;
  for (const auto split : {Split::train, Split::query, Split::gallery}) {
    if (row.cells[*column] == split_name(split)) return split;
  }
  throw table.error(row,
                    "the split is '" + row.cells[*column] + "'; allowed are 'train', 'query' and 'gallery'");
}

}  // namespace

std::vector<Sample> read_samples(const std::filesystem::path& file, const std::string& what) {
  if (!std::filesystem::exists(file)) {
    throw DataError(file,
                    "is missing: it says " + what +
                        ", with the header path,identity,camera,domain,split (the first two are needed)");
  }
  CsvReader reader(file);
  const auto& table = reader.table();
  table.require_known_columns({"path", "identity", "camera", "domain", "split"});
  const auto path = table.column("path");
  const auto identity = table.column("identity");
  const auto camera = table.find("camera");
  const auto domain = table.find("domain");
  const auto split = table.find("split");

  std::vector<Sample> samples;
  for (CsvRow row; reader.next(row);) {
    Sample sample;
    sample.path = row.cells[path];
    if (sample.path.empty()) throw table.error(row, "the path is empty");
    sample.identity = number_or(unlabelled_identity, table, row, identity, junk_identity,
                                "-1 for junk, and an empty cell when nobody has said who this is");
    sample.camera = number_or(unknown_camera, table, row, camera, unknown_camera,
                              "and -1 or an empty cell for an unknown one");
    if (domain) sample.domain = row.cells[*domain];
    sample.split = split_of(table, row, split);
    samples.push_back(std::move(sample));
  }
  return samples;
}

void write_samples(const std::filesystem::path& file, const std::vector<Sample>& samples) {
  write_atomically(file, [&](std::ostream& out) {
    write_csv_row(out, {"path", "identity", "camera", "domain", "split"});
    for (const auto& sample : samples) {
      write_csv_row(
          out, {sample.path, sample.identity == unlabelled_identity ? "" : std::to_string(sample.identity),
                sample.camera == unknown_camera ? "" : std::to_string(sample.camera), sample.domain,
                split_name(sample.split)});
    }
  });
}

}  // namespace kindred
