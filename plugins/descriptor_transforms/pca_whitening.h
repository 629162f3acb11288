// Principal components with whitening: Jegou and Chum, "Negative evidences and co-occurrences in image
// retrieval: the benefit of PCA and whitening", ECCV 2012.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/post_processor.h"

namespace kindred::descriptor_transforms {

/// With m and C the mean and the covariance of the descriptors x learned on, each scaled to length 1, and
/// C = sum_i l_i u_i u_i^T, l_1 >= l_2 >= ...: y_i = u_i^T (x - m) / (l_i + eps l_1)^whiten for i up to
/// `dim`, and y is scaled to length 1. C is summed up and decomposed in 64 bits. Of u_i and -u_i that one
/// is taken whose number of largest magnitude is positive.
///
/// The rank is the number of l_i above max(N, D) 2^-52 E|x|^2, what rounding may leave of 0. Memory: three
/// matrices D x D in 64 bits beside the result.
class PcaWhitening final : public PostProcessor {
 public:
  enum class Learn { gallery, all };

  struct Params {
    std::int64_t dim = 0;
    double whiten = 0.5;
    double eps = 1e-5;
    Learn learn_on = Learn::gallery;
  };
  static Schema<Params> schema();

  PcaWhitening(const Params& params, const Context& context);
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  /// Throws ComponentError when `dim` is more than the rank, or the rank is 0, and for a descriptor that
  /// equals the mean.
  void apply(Retrieval& retrieval, RetrievalHost& host) const override;

 private:
  /// [D, W], 64-bit floats on the CPU.
  [[nodiscard]] torch::Tensor projection(const torch::Tensor& rows, const torch::Tensor& mean,
                                         torch::Device device) const;

  Params params_;
};

}  // namespace kindred::descriptor_transforms
