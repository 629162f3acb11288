// Role "index": finds the nearest of very many descriptors without comparing all of them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

/// Holds rows of length 1, 32-bit floats on the CPU, by numbers from 0 in the order in which they were added.
/// It may miss some of the nearest: how many is measured by whoever builds it. What it finds is compared
/// again by exact cosines, so only the choice of candidates is its own.
class KINDRED_API Index {
 public:
  using Role = Index;
  using Handle = std::unique_ptr<Index>;
  static constexpr std::string_view role_name = "index";
  struct Context {
    std::int64_t dim = 0;   ///< D, length of a row
    std::int64_t rows = 0;  ///< how many are going to be added at first
  };

  virtual ~Index();

  /// How many rows train() wants to see at most; 0: none, train() is not called.
  [[nodiscard]] virtual std::int64_t training_rows() const;
  /// Learns how rows are distributed. Called once, before add().
  /// @param rows [N, D], N at least 1: evenly chosen of those that are going to be added
  virtual void train(const torch::Tensor& rows);

  /// @param rows [N, D], contiguous
  virtual void add(const torch::Tensor& rows) = 0;

  /// The nearest rows of each query as far as they are found, the nearest first: [Q, count], 64-bit row
  /// numbers, none twice, and -1 after the last where fewer are found. Called by many threads at once, never
  /// beside the others.
  /// @param queries [Q, D], contiguous
  [[nodiscard]] virtual torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const = 0;
};

}  // namespace kindred
