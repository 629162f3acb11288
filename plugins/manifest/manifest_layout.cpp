#include "manifest_layout.h"

#include <cstdint>
#include <map>
#include <sstream>

#include "kindred/text/sample_table.h"

namespace kindred::manifest {

Schema<ManifestLayout::Params> ManifestLayout::schema() {
  return Schema<Params>("Images by split, and manifest.csv with all that is known of them.");
}

ManifestLayout::ManifestLayout(const Params& /*params*/, const Context& /*context*/) {}

LayoutFiles ManifestLayout::files(const std::vector<Sample>& samples, const std::string& ending) const {
  LayoutFiles files;
  std::map<Split, std::int64_t> numbers;
  auto placed = samples;
  for (auto& sample : placed) {
    sample.path =
        std::string(split_name(sample.split)) + '/' + zero_padded(++numbers[sample.split], 6) + '.' + ending;
    files.images.push_back(sample.path);
  }
  std::ostringstream table;
  write_sample_table(table, placed);
  files.lists.push_back({"manifest.csv", table.str()});
  return files;
}

}  // namespace kindred::manifest
