#include "focal.h"

namespace kindred::focal {

Schema<Focal::Params> Focal::schema() {
  Schema<Params> s("Cross entropy of the identities in which hard images count more.",
                   "Lin et al., ICCV 2017, eq. 4");
  s.add("gamma", &Params::gamma, "how much less well-classified images count; 0: cross entropy").at_least(0);
  return s;
}

Focal::Focal(const Params& params, const Context& /*context*/) : gamma_(params.gamma) {}

torch::Tensor Focal::forward(const torch::Tensor& output, const torch::Tensor& labels) {
  const auto log_p = output.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);
  // 1 - p without cancellation; above 0, where a power below 1 has no finite slope.
  const auto miss = log_p.expm1().neg().clamp_min(1e-12);
  return -(miss.pow(gamma_) * log_p).mean();
}

}  // namespace kindred::focal
