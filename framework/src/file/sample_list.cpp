#include "file/sample_list.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/text/sample_table.h"

namespace kindred::file {
namespace {

/// A cell that may be empty, or a column that may be missing.
std::int64_t number_or(std::int64_t otherwise, const CsvTable& table, const CsvRow& row,
                       std::optional<std::size_t> column, NameNumbers& names, std::int64_t minimum,
                       const char* allowed) {
  if (!column || row.cells[*column].empty()) return otherwise;
  const auto number = table.label(row, *column, names);
  if (number < minimum) {
    throw table.error(row, table.header()[*column] + " " + std::to_string(number) +
                               "; allowed are whole numbers from 0, names, " + allowed);
  }
  return number;
}

}  // namespace

Split split_in(const CsvTable& table, const CsvRow& row, std::size_t column) {
  for (const auto split : {Split::train, Split::query, Split::gallery}) {
    if (row.cells[column] == split_name(split)) return split;
  }
  throw table.error(row, "split '" + row.cells[column] + "'; allowed are 'train', 'query' and 'gallery'");
}

void write_sample_list(const std::filesystem::path& file, const std::vector<Sample>& samples) {
  write_atomically(file, [&](std::ostream& out) { write_sample_table(out, samples); });
}

SampleListReader::SampleListReader(const std::filesystem::path& file) : reader_(file) {
  const auto& table = reader_.table();
  table.require_known_columns(
      {"path", "identity", "camera", "domain", "split", "clothes", "view", "tracklet"});
  path_ = table.column("path");
  identity_ = table.column("identity");
  camera_ = table.find("camera");
  domain_ = table.find("domain");
  split_ = table.find("split");
  clothes_ = table.find("clothes");
  view_ = table.find("view");
  tracklet_ = table.find("tracklet");
}

bool SampleListReader::next(Sample& sample) {
  if (!reader_.next(row_)) return false;
  const auto& table = reader_.table();
  sample = {};
  sample.path = row_.cells[path_];
  if (sample.path.empty()) throw table.error(row_, "the path is empty; name the image");
  sample.identity = number_or(unlabeled_identity, table, row_, identity_, identities_, junk_identity,
                              "-1 for junk, or an empty cell if the identity is unknown");
  sample.camera = number_or(unknown_camera, table, row_, camera_, cameras_, unknown_camera,
                            "or -1 or an empty cell if the camera is unknown");
  if (domain_) sample.domain = row_.cells[*domain_];
  if (split_) sample.split = split_in(table, row_, *split_);
  sample.clothes = number_or(unknown_clothes, table, row_, clothes_, clothes_names_, unknown_clothes,
                             "or -1 or an empty cell if the clothes are unknown");
  sample.view = number_or(unknown_view, table, row_, view_, views_, unknown_view,
                          "or -1 or an empty cell if the view is unknown");
  if (tracklet_) sample.tracklet = row_.cells[*tracklet_];
  return true;
}

std::vector<Sample> read_sample_list(const std::filesystem::path& file) {
  SampleListReader reader(file);
  std::vector<Sample> samples;
  for (Sample sample; reader.next(sample);) samples.push_back(sample);
  return samples;
}

void require_unique_names(const std::vector<Sample>& samples, const std::filesystem::path& file) {
  // Hashes are compared first: a million of them, with their rows, are 16 MB to sort, and no table of nodes.
  std::vector<std::pair<std::size_t, std::size_t>> hashes;
  hashes.reserve(samples.size());
  for (const auto& sample : samples) {
    hashes.emplace_back(std::hash<std::string>()(sample.path), hashes.size());
  }
  std::sort(hashes.begin(), hashes.end());
  for (auto one = hashes.begin(); one != hashes.end(); ++one) {
    for (auto other = one + 1; other != hashes.end() && other->first == one->first; ++other) {
      if (samples[one->second].path != samples[other->second].path) continue;
      throw DataError(file, "rows " + std::to_string(one->second) + " and " + std::to_string(other->second) +
                                " (from 0) have the same name '" + samples[one->second].path +
                                "'; give each row a unique name in the CSV file");
    }
  }
}

}  // namespace kindred::file
