#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/role/layout.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedLayout final : public Guard<Layout> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string ending() const override {
    return call([&] { return inner_->ending(); });
  }
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override {
    auto files = call([&] { return inner_->files(samples, ending); });
    if (files.images.size() != samples.size()) {
      gave(std::to_string(files.images.size()) + " names of files for " + std::to_string(samples.size()) +
           " images");
    }
    for (const auto& path : files.images) require_inside(path);
    for (const auto& list : files.lists) require_inside(list.path);
    return files;
  }

 private:
  void require_inside(const std::string& path) const {
    const std::filesystem::path file(path);
    const bool climbs = std::find(file.begin(), file.end(), "..") != file.end();
    if (path.empty() || file.is_absolute() || climbs) {
      gave("'" + path +
           "' as the name of a file; names are relative to the folder of the data set and stay "
           "inside it");
    }
  }
};

}  // namespace

std::unique_ptr<Layout> guard(std::unique_ptr<Layout> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedLayout>(std::move(inner), info);
}

}  // namespace kindred::recipe
