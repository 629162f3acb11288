#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/core/utf8.h"
#include "kindred/role/partitioner.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedPartitioner final : public Guard<Partitioner> {
 public:
  using Guard::Guard;
  [[nodiscard]] bool needs_pixels() const override {
    return call([&] { return inner_->needs_pixels(); });
  }
  [[nodiscard]] std::string domain(const Sample& sample, const cv::Mat& image) const override {
    auto domain = call([&] { return inner_->domain(sample, image); });
    if (domain.empty()) gave("no domain to '" + sample.path + "'; every image is of a domain with a name");
    if (!is_utf8(domain) || domain.find('\0') != std::string::npos) {
      gave("the domain '" + escaped(domain) + "' to '" + sample.path +
           "', which is not a name in UTF-8: lists of domains could not be read again");
    }
    return domain;
  }
};

}  // namespace

std::unique_ptr<Partitioner> guard(std::unique_ptr<Partitioner> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedPartitioner>(std::move(inner), info);
}

}  // namespace kindred::recipe
