#include "results/domains_file.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "file/atomic_file.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"

namespace kindred::results {

std::vector<DomainsFile::Domain> DomainsFile::domains() const {
  std::map<std::string, std::int64_t> counts;
  for (const auto& image : images) ++counts[image.domain];
  std::vector<Domain> all;
  for (const auto& [domain, count] : counts) all.push_back({domain, count});
  return all;
}

void DomainsFile::give_to(std::vector<Sample>& samples, const std::filesystem::path& file) const {
  std::unordered_map<std::string_view, const std::string*> domain_of;
  for (const auto& image : images) domain_of.emplace(image.path, &image.domain);
  for (const auto& sample : samples) {
    if (domain_of.contains(sample.path)) continue;
    throw DataError(file, "has no domain for '" + sample.path +
                              "': it belongs to other images; run partition again on these");
  }
  for (auto& sample : samples) sample.domain = *domain_of.at(sample.path);
}

DomainsFile DomainsFile::read(const std::filesystem::path& file) {
  CsvReader reader(file);
  const auto& table = reader.table();
  table.require_known_columns({"path", "split", "domain"});
  const auto path = table.column("path");
  const auto split = table.find("split");
  const auto domain = table.column("domain");
  DomainsFile list;
  std::set<std::pair<std::optional<Split>, std::string>> listed;
  std::unordered_map<std::string, std::string> domain_of;
  for (CsvRow row; reader.next(row);) {
    if (row.cells[path].empty()) throw table.error(row, "the path is empty; name the image");
    if (row.cells[domain].empty()) throw table.error(row, "the domain is empty; name the domain");
    auto& image = list.images.emplace_back();
    if (split) image.split = file::split_in(table, row, *split);
    image.path = std::move(row.cells[path]);
    image.domain = std::move(row.cells[domain]);
    if (!listed.emplace(image.split, image.path).second) {
      throw table.error(row, "image '" + image.path + "' is listed twice");
    }
    const auto& known = domain_of.emplace(image.path, image.domain).first->second;
    if (known != image.domain) {
      throw table.error(row, "image '" + image.path + "' is of the domain '" + known +
                                 "' in another split; it is one image, so give it one domain");
    }
  }
  return list;
}

void DomainsFile::write(const std::filesystem::path& file) const {
  const bool splits =
      std::all_of(images.begin(), images.end(), [](const Image& image) { return image.split.has_value(); });
  file::write_atomically(file, [&](std::ostream& out) {
    const auto write_row = [&](const std::string& path, const std::string& split, const std::string& domain) {
      write_csv_row(out, splits ? std::vector{path, split, domain} : std::vector{path, domain});
    };
    write_row("path", "split", "domain");
    for (const auto& image : images) {
      write_row(image.path, image.split ? split_name(*image.split) : "", image.domain);
    }
  });
}

}  // namespace kindred::results
