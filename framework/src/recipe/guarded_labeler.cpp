#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/core/sample.h"
#include "kindred/role/labeler.h"
#include "kindred/search/retrieval.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"
#include "recipe/named_host.h"

namespace kindred::recipe {
namespace {

class GuardedLabeler final : public Guard<Labeler> {
 public:
  GuardedLabeler(std::unique_ptr<Labeler> inner, const ComponentInfo& info)
      : Guard(std::move(inner), info), name_("labeler '" + info.name + "'") {}
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost& host) const override {
    NamedHost named(name_, host);
    auto labels = call([&] { return inner_->label(images, named); });
    const auto rows = static_cast<std::size_t>(images.descriptors.size(0));
    if (labels.identities.size() != rows) {
      gave(std::to_string(labels.identities.size()) + " identities for " + std::to_string(rows) + " images");
    }
    std::int64_t next = 0;
    std::int64_t without = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto identity = labels.identities[i];
      if (identity == unlabeled_identity) {
        ++without;
      } else if (identity == next) {
        ++next;
      } else if (identity < 0 || identity > next) {
        gave("the identity " + std::to_string(identity) + " to image " + std::to_string(i) +
             " (from 0); identities are numbered from 0 without gaps, in the order of their first images");
      }
    }
    std::int64_t told = 0;
    for (const auto& part : labels.left_out) told += part.images;
    if (told != without) {
      gave("reasons for " + std::to_string(told) + " images without an identity, but left out " +
           std::to_string(without));
    }
    return labels;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Labeler> guard(std::unique_ptr<Labeler> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedLabeler>(std::move(inner), info);
}

}  // namespace kindred::recipe
