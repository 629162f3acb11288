#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/optimizer.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

std::set<const void*> identities_of(const std::vector<torch::Tensor>& parameters) {
  std::set<const void*> identities;
  for (const auto& parameter : parameters) identities.insert(parameter.unsafeGetTensorImpl());
  return identities;
}

class GuardedOptimizer final : public Guard<Optimizer> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override {
    auto optimizer = call([&] { return inner_->build(groups); });
    if (optimizer == nullptr) gave("no optimizer");
    if (optimizer->param_groups().size() != groups.size()) {
      gave(std::to_string(optimizer->param_groups().size()) + " groups of parameters instead of " +
           std::to_string(groups.size()));
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (identities_of(optimizer->param_groups()[i].params()) == identities_of(groups[i].parameters))
        continue;
      gave("group " + std::to_string(i + 1) +
           " other parameters than those that it was given; what no group has would not be trained");
    }
    return optimizer;
  }
  [[nodiscard]] double learning_rate() const override {
    const auto rate = call([&] { return inner_->learning_rate(); });
    if (!(rate >= 0) || !std::isfinite(rate)) {
      gave(std::to_string(rate) + " as learning rate; it must be finite and not negative");
    }
    return rate;
  }
};

}  // namespace

std::unique_ptr<Optimizer> guard(std::unique_ptr<Optimizer> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedOptimizer>(std::move(inner), info);
}

}  // namespace kindred::recipe
