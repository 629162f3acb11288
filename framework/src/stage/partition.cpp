#include "stage/partition.h"

#include <map>
#include <opencv2/core/mat.hpp>
#include <stdexcept>
#include <utility>

#include "data/each_image.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"

namespace kindred::stage {

PartitionOutcome partition(const Partitioner& partitioner, const Dataset& dataset,
                           const std::vector<Sample>& samples, const std::filesystem::path& folder,
                           progress::ProgressSink& progress) {
  const auto csv = folder / "domains.csv";
  if (samples.empty()) throw DataError(csv, "is not written: there are no images");
  std::vector<std::string> domains(samples.size());
  data::for_each_image(samples.size(), "partition", &progress, [&](std::size_t i) {
    const auto image = partitioner.needs_pixels() ? dataset.image(samples[i]) : cv::Mat();
    domains[i] = partitioner.domain(samples[i], image);
    if (domains[i].empty()) throw std::logic_error("a partitioner must name the domain of every image");
  });

  PartitionOutcome outcome{csv, {}};
  std::map<std::string, std::int64_t> counts;
  for (const auto& domain : domains) ++counts[domain];
  for (const auto& [name, images] : counts) outcome.domains.push_back({name, images});
  file::write_atomically(csv, [&](std::ostream& out) {
    write_csv_row(out, {"path", "split", "domain"});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      write_csv_row(out, {samples[i].path, split_name(samples[i].split), domains[i]});
    }
  });
  return outcome;
}

Domains read_domains(const std::filesystem::path& csv) {
  CsvReader reader(csv);
  const auto& table = reader.table();
  table.require_known_columns({"path", "split", "domain"});
  const auto path = table.column("path");
  const auto domain = table.column("domain");
  Domains domains;
  for (CsvRow row; reader.next(row);) {
    if (row.cells[path].empty()) throw table.error(row, "the path is empty; name the image");
    if (row.cells[domain].empty()) throw table.error(row, "the domain is empty; name the domain");
    if (!domains.emplace(row.cells[path], row.cells[domain]).second) {
      throw table.error(row, "image '" + row.cells[path] + "' is listed twice");
    }
  }
  return domains;
}

void set_domains(std::vector<Sample>& samples, const Domains& domains, const std::filesystem::path& csv) {
  for (const auto& sample : samples) {
    if (domains.contains(sample.path)) continue;
    throw DataError(csv, "has no domain for '" + sample.path +
                             "': it belongs to other images; run partition again on these");
  }
  for (auto& sample : samples) sample.domain = domains.at(sample.path);
}

}  // namespace kindred::stage
