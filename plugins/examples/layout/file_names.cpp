#include "file_names.h"

#include <cstdint>
#include <map>

#include "kindred/core/error.h"

namespace my_plugins {

kindred::Schema<FileNames::Params> FileNames::schema() {
  return kindred::Schema<Params>("Folders train, query and gallery of images named IDENTITY_cCAMERA_NUMBER.");
}

FileNames::FileNames(const Params&, const Context&) {}

kindred::LayoutFiles FileNames::files(const std::vector<kindred::Sample>& samples,
                                      const std::string& ending) const {
  kindred::LayoutFiles files;
  std::map<std::int64_t, std::int64_t> written;
  for (const auto& sample : samples) {
    if (sample.identity < 0 || sample.camera == kindred::unknown_camera) {
      throw kindred::DataError(
          sample.path,
          "has no identity or no camera, which the layout 'file_names' needs for the name "
          "of the file");
    }
    files.images.push_back(std::string(kindred::split_name(sample.split)) + "/" +
                           kindred::zero_padded(sample.identity, 4) + "_c" + std::to_string(sample.camera) +
                           "_" + kindred::zero_padded(written[sample.identity]++, 4) + "." + ending);
  }
  return files;
}

}  // namespace my_plugins
