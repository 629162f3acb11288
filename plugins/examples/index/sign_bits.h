// An approximate search by short codes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/index.h"

namespace my_plugins {

/// Of each row keeps the signs of its products with random directions. The more signs two rows share, the
/// smaller is the angle between them (Charikar, STOC 2002, section 3). A query is compared by signs alone.
class SignBits final : public kindred::Index {
 public:
  struct Params {
    std::int64_t bits = 256;
    std::int64_t seed = 1;
  };
  static kindred::Schema<Params> schema();

  SignBits(const Params& params, const Context& context);

  void add(const torch::Tensor& rows) override;
  [[nodiscard]] torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const override;

 private:
  /// 64 signs to a word: [N * words_].
  [[nodiscard]] std::vector<std::uint64_t> codes(const torch::Tensor& rows) const;

  std::int64_t words_;
  torch::Tensor directions_;          ///< [dim, 64 * words_]
  std::vector<std::uint64_t> codes_;  ///< of all rows
};

}  // namespace my_plugins
