// Kim et al., "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020.
#pragma once

#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/loss.h"

namespace my_plugins {

/// A learned vector for each identity, the proxy. Images are pulled to the proxy of their own identity and
/// pushed from the others, hard ones more than easy ones. s is the cosine of an image and a proxy:
///   mean over proxies p with images of their identity in the batch: log(1 + sum exp(-scale (s - margin)))
///   + mean over all proxies: log(1 + sum over images of other identities exp(scale (s + margin)))   (eq. 4)
class ProxyAnchor final : public kindred::OutputLoss {
 public:
  struct Params {
    double scale = 32;
    double margin = 0.1;
  };
  static kindred::Schema<Params> schema();

  ProxyAnchor(const Params& params, const Context& context);

  [[nodiscard]] static std::vector<kindred::OutputKind> takes() { return {kindred::OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override;

 private:
  Params params_;
  torch::Tensor proxies_;  // [identities, dim]; a registered parameter is trained and part of checkpoints
};

}  // namespace my_plugins
