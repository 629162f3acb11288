#include "faiss_index.h"

#include <faiss/AutoTune.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/index_factory.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace kindred::faiss {
namespace {

/// FAISS itself takes up to 256 rows for each center.
constexpr std::int64_t training_rows_of_a_list = 64;

/// Of a gallery that grows, too.
std::int64_t lists_for(std::int64_t rows) {
  const auto lists = std::llround(2 * std::sqrt(static_cast<double>(std::max<std::int64_t>(rows, 1))));
  // FAISS needs a row for each center to begin with.
  return std::clamp<std::int64_t>(lists, 1, std::max<std::int64_t>(rows, 1));
}

std::unique_ptr<::faiss::Index> make_ivf(const Ivf::Params& params, const Index::Context& context) {
  const auto most = std::max<std::int64_t>(context.rows, 1);
  const auto lists = params.lists == 0 ? lists_for(context.rows) : std::min(params.lists, most);
  auto centers = std::make_unique<::faiss::IndexFlatIP>(context.dim);
  auto index =
      std::make_unique<::faiss::IndexIVFFlat>(centers.get(), static_cast<std::size_t>(context.dim),
                                              static_cast<std::size_t>(lists), ::faiss::METRIC_INNER_PRODUCT);
  centers.release();
  index->own_fields = true;
  index->nprobe = static_cast<std::size_t>(std::min(params.probes, lists));
  index->cp.niter = static_cast<int>(params.iterations);
  index->cp.spherical = true;
  // Few rows make poor centers; what that costs is measured by whoever builds the index.
  index->cp.min_points_per_centroid = 1;
  return index;
}

/// By FAISS's own names: the header of its class needs one of OpenMP, which clang does not have.
std::unique_ptr<::faiss::Index> make_hnsw(const Hnsw::Params& params, const Index::Context& context) {
  std::unique_ptr<::faiss::Index> index(::faiss::index_factory(
      static_cast<int>(context.dim), ("HNSW" + std::to_string(params.neighbors) + ",Flat").c_str(),
      ::faiss::METRIC_INNER_PRODUCT));
  const ::faiss::ParameterSpace parameters;
  parameters.set_index_parameter(index.get(), "efConstruction", static_cast<double>(params.build));
  parameters.set_index_parameter(index.get(), "efSearch", static_cast<double>(params.search));
  return index;
}

}  // namespace

FaissIndex::FaissIndex(std::unique_ptr<::faiss::Index> index) : index_(std::move(index)) {}
FaissIndex::~FaissIndex() = default;

void FaissIndex::add(const torch::Tensor& rows) {
  if (rows.size(0) > 0) index_->add(rows.size(0), rows.data_ptr<float>());
}

torch::Tensor FaissIndex::search(const torch::Tensor& queries, std::int64_t count) const {
  auto found = torch::empty({queries.size(0), count}, torch::kLong);
  std::vector<float> similarities(static_cast<std::size_t>(queries.size(0) * count));
  std::vector<::faiss::Index::idx_t> rows(similarities.size());
  index_->search(queries.size(0), queries.data_ptr<float>(), count, similarities.data(), rows.data());
  std::copy(rows.begin(), rows.end(), found.data_ptr<std::int64_t>());
  return found;
}

Schema<Flat::Params> Flat::schema() {
  return Schema<Params>("Compares a query with every descriptor: exact.",
                        "Johnson, Douze, Jegou, IEEE Transactions on Big Data 2021");
}

Flat::Flat(const Params& /*params*/, const Context& context)
    : FaissIndex(std::make_unique<::faiss::IndexFlatIP>(context.dim)) {}

Schema<Ivf::Params> Ivf::schema() {
  Schema<Params> s("Compares a query with the descriptors of the clusters whose centers are nearest to it.",
                   "Sivic, Zisserman, ICCV 2003");
  s.add("lists", &Params::lists, "clusters; 0: twice the square root of the number of descriptors")
      .at_least(0);
  s.add("probes", &Params::probes, "clusters that a query looks at; more find more, and take longer")
      .at_least(1);
  s.add("iterations", &Params::iterations, "of the clustering (k-means)").range(1, 1000);
  return s;
}

Ivf::Ivf(const Params& params, const Context& context)
    : FaissIndex(make_ivf(params, context)),
      training_rows_(static_cast<std::int64_t>(dynamic_cast<::faiss::IndexIVFFlat&>(index()).nlist) *
                     training_rows_of_a_list) {
  // Without descriptors there is nothing to learn from: any centers do for a start.
  if (context.rows == 0) {
    std::vector<float> center(static_cast<std::size_t>(context.dim), 0.0F);
    center[0] = 1;
    index().train(1, center.data());
  }
}

void Ivf::train(const torch::Tensor& rows) {
  index().train(rows.size(0), rows.data_ptr<float>());
}

Schema<Hnsw::Params> Hnsw::schema() {
  Schema<Params> s("Walks along a graph that joins near descriptors.", "Malkov, Yashunin, TPAMI 2020");
  s.add("neighbors", &Params::neighbors,
        "edges of a descriptor in the graph; more find more, and take memory")
      .range(2, 1024);
  s.add("build", &Params::build,
        "candidates that are kept while the graph is built; more make it better, slowly")
      .range(1, 100000);
  s.add("search", &Params::search,
        "candidates that are kept while a query is searched; more find more, and take longer")
      .range(1, 100000);
  return s;
}

Hnsw::Hnsw(const Params& params, const Context& context) : FaissIndex(make_hnsw(params, context)) {}

}  // namespace kindred::faiss
