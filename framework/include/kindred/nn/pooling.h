// Feature maps -> one vector for the whole map or for each horizontal stripe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

enum class PoolingKind {
  average,
  max,
  gem,  ///< generalized mean (Radenovic et al., TPAMI 2019, eq. 3) with a learnable exponent
};

/// For schemas: 'avg', 'max' and 'gem'.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, PoolingKind>> pooling_choices();

/// Map [N, C, h, w] -> [N, C, stripes, 1]. Stripe i covers the rows from floor(i h / stripes) to ceil((i + 1)
/// h / stripes).
class KINDRED_API Pooling : public TensorModule {
 public:
  /// Throws std::logic_error if there is no stripe.
  explicit Pooling(PoolingKind kind, std::int64_t stripes = 1);
  ~Pooling() override;

  /// gem: (mean of max(x, 1e-6)^p)^(1/p) with the parameter "p", initially 3, in 32-bit floats whatever the
  /// type of the map.
  torch::Tensor forward(const torch::Tensor& map) override;

 private:
  PoolingKind kind_;
  std::int64_t stripes_;
  torch::Tensor p_;
};

}  // namespace kindred
