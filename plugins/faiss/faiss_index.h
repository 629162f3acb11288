// Indexes of FAISS (Johnson, Douze, Jegou, IEEE Transactions on Big Data 2021) by inner product, which is the
// cosine of rows of length 1.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "kindred/core/schema.h"
#include "kindred/role/index.h"

namespace faiss {
struct Index;
}  // namespace faiss

namespace kindred::faiss {

/// What all of them share.
class FaissIndex : public Index {
 public:
  ~FaissIndex() override;
  void add(const torch::Tensor& rows) override;
  [[nodiscard]] torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const override;

 protected:
  explicit FaissIndex(std::unique_ptr<::faiss::Index> index);
  [[nodiscard]] ::faiss::Index& index() { return *index_; }

 private:
  std::unique_ptr<::faiss::Index> index_;
};

/// Compares with all rows: exact.
class Flat final : public FaissIndex {
 public:
  struct Params {};
  static Schema<Params> schema();
  Flat(const Params& params, const Context& context);
};

/// An inverted file: rows are assigned to the nearest of many centers, and a query looks at the rows of a few
/// (Sivic, Zisserman, ICCV 2003; Jegou, Douze, Schmid, TPAMI 2011).
class Ivf final : public FaissIndex {
 public:
  struct Params {
    std::int64_t lists = 0;
    std::int64_t probes = 16;
    std::int64_t iterations = 10;
  };
  static Schema<Params> schema();
  Ivf(const Params& params, const Context& context);

  [[nodiscard]] std::int64_t training_rows() const override { return training_rows_; }
  void train(const torch::Tensor& rows) override;

 private:
  std::int64_t training_rows_;
};

/// Hierarchical navigable small worlds: a graph of near rows, along which a query walks (Malkov, Yashunin,
/// TPAMI 2020).
class Hnsw final : public FaissIndex {
 public:
  struct Params {
    std::int64_t neighbors = 32;
    std::int64_t build = 80;
    std::int64_t search = 64;
  };
  static Schema<Params> schema();
  Hnsw(const Params& params, const Context& context);
};

}  // namespace kindred::faiss
