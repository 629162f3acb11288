#include "kindred/search/retrieval.h"

namespace kindred {

RetrievalHost::~RetrievalHost() = default;

void RetrievalHost::warn(const std::string& /*text*/) {}

NearestRows RetrievalHost::nearest_rows(const torch::Tensor& rows, const NearestOptions& options) {
  return kindred::nearest_rows(rows, options);
}

NearestRows RetrievalHost::nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                        const NearestOptions& options) {
  return kindred::nearest_rows(query, gallery, options);
}

void warn_of_large_k(const std::string& name, std::int64_t k, std::int64_t images, RetrievalHost& host) {
  if (2 * k <= images) return;
  host.warn(name + " = " + std::to_string(k) + " is more than half of the " + std::to_string(images) +
            " images (queries and gallery), so images of different people share most neighbors; choose a "
            "smaller " +
            name);
}

}  // namespace kindred
