#include "manifest.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/csv.h"
#include "kindred/text/name_numbers.h"

namespace kindred::manifest {
namespace {

Split split_of(const CsvTable& table, const CsvRow& row, std::size_t column) {
  for (const Split split : {Split::train, Split::query, Split::gallery}) {
    if (row.cells[column] == split_name(split)) return split;
  }
  throw table.error(row, "split '" + row.cells[column] + "'; allowed are 'train', 'query' and 'gallery'");
}

std::int64_t identity_of(const CsvTable& table, const CsvRow& row, std::optional<std::size_t> column,
                         NameNumbers& names) {
  if (!column || row.cells[*column].empty()) return unlabeled_identity;
  const std::int64_t identity = table.label(row, *column, names);
  if (identity < 0 && identity != junk_identity) {
    throw table.error(row,
                      "identity " + std::to_string(identity) +
                          "; allowed are numbers from 0, names, -1 for junk, or an empty cell for unlabeled");
  }
  return identity;
}

/// A number or name that may be unknown.
std::int64_t number_of(const CsvTable& table, const CsvRow& row, std::optional<std::size_t> column,
                       NameNumbers& names, std::int64_t unknown) {
  if (!column || row.cells[*column].empty()) return unknown;
  const auto number = table.label(row, *column, names);
  if (number < 0) {
    const auto& what = table.header()[*column];
    throw table.error(row, what + " '" + row.cells[*column] +
                               "'; allowed are numbers from 0, names, or an empty cell if the " + what +
                               (what == "clothes" ? " are" : " is") + " unknown");
  }
  return number;
}

void check_path(const CsvTable& table, const CsvRow& row, const std::string& path) {
  if (path.empty()) throw table.error(row, "the path is empty; name the image");
  if (path.find('\\') != std::string::npos) {
    throw table.error(row, "path '" + path + "': separate folders with '/'");
  }
}

}  // namespace

Schema<Manifest::Params> Manifest::schema() {
  Schema<Params> s(
      "Images listed in a CSV file: columns path and split, optional identity, camera, domain, clothes, "
      "view, tracklet.");
  s.add("root", &Params::root,
        "the CSV file, or a folder with manifest.csv; relative to the working directory; paths in the file "
        "are relative to the file")
      .required()
      .location();
  return s;
}

Manifest::Manifest(const Params& params, const Context&) : file_(params.root) {
  std::error_code failure;
  if (std::filesystem::is_directory(file_, failure)) file_ /= "manifest.csv";
}

std::vector<Sample> Manifest::samples() const {
  const CsvTable table = CsvTable::read(file_);
  table.require_known_columns(
      {"path", "split", "identity", "camera", "domain", "clothes", "view", "tracklet"});
  const std::size_t path = table.column("path");
  const std::size_t split = table.column("split");
  const auto identity = table.find("identity");
  const auto camera = table.find("camera");
  const auto domain = table.find("domain");
  const auto clothes = table.find("clothes");
  const auto view = table.find("view");
  const auto tracklet = table.find("tracklet");
  if (table.rows().empty()) throw DataError(file_, "lists no images: it has no rows after the header");

  std::vector<Sample> samples;
  samples.reserve(table.rows().size());
  NameNumbers identities;
  NameNumbers cameras;
  NameNumbers outfits;
  NameNumbers views;
  std::unordered_map<std::string, int> lines;
  lines.reserve(table.rows().size());
  for (const CsvRow& row : table.rows()) {
    Sample sample;
    sample.path = row.cells[path];
    check_path(table, row, sample.path);
    if (const auto [first, added] = lines.emplace(sample.path, row.line); !added) {
      throw table.error(
          row, "path '" + sample.path + "' is already listed in line " + std::to_string(first->second));
    }
    sample.split = split_of(table, row, split);
    sample.identity = identity_of(table, row, identity, identities);
    sample.camera = number_of(table, row, camera, cameras, unknown_camera);
    if (domain) sample.domain = row.cells[*domain];
    sample.clothes = number_of(table, row, clothes, outfits, unknown_clothes);
    sample.view = number_of(table, row, view, views, unknown_view);
    if (tracklet) sample.tracklet = row.cells[*tracklet];
    samples.push_back(std::move(sample));
  }
  return samples;
}

cv::Mat Manifest::image(const Sample& sample) const {
  return read_image(file_.parent_path() / sample.path);
}

Recognition Manifest::recognize() const {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file_, failure)) return Recognition::no;
  std::ifstream in(file_, std::ios::binary);
  std::string start(4096, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  // The header, and before it what spreadsheets may want to know: "sep=;".
  const auto first = std::min(start.find_first_of("\r\n"), start.size());
  const auto header = start.starts_with("sep=") ? start.find_first_not_of("\r\n", first) : 0;
  start.resize(std::min(start.find_first_of("\r\n", header), start.size()));
  try {
    const CsvTable table = CsvTable::parse(start, file_);
    if (table.find("path") && table.find("split")) return Recognition::certain;
  } catch (const DataError&) {
    // Not a table; by its name it may be meant as one, and samples() then says what is wrong with it.
  }
  return file_.extension() == ".csv" ? Recognition::likely : Recognition::no;
}

}  // namespace kindred::manifest
