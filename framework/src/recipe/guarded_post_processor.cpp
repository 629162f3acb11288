#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/role/post_processor.h"
#include "kindred/search/retrieval.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"
#include "recipe/named_host.h"

namespace kindred::recipe {
namespace {

std::string tensor_text(const torch::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::string sizes;
  for (const auto size : tensor.sizes()) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return "a tensor [" + sizes + "] of type " + torch::toString(tensor.scalar_type()) + " on " +
         tensor.device().str();
}

/// The first row that holds a value that is not finite, or -1.
std::int64_t first_bad_row(const torch::Tensor& rows) {
  const auto finite = torch::isfinite(rows).all(1).contiguous();
  const auto* good = finite.data_ptr<bool>();
  const auto at = std::find(good, good + finite.numel(), false) - good;
  return at == finite.numel() ? -1 : at;
}

bool is_rows(const torch::Tensor& tensor, std::int64_t count) {
  return tensor.defined() && tensor.dim() == 2 && tensor.size(0) == count &&
         tensor.scalar_type() == torch::kFloat32 && tensor.device().is_cpu();
}

class GuardedPostProcessor final : public Guard<PostProcessor> {
 public:
  GuardedPostProcessor(std::unique_ptr<PostProcessor> inner, const ComponentInfo& info)
      : Guard(std::move(inner), info), name_("post_processor '" + info.name + "'") {}
  [[nodiscard]] Step step() const override {
    return call([&] { return inner_->step(); });
  }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    const auto rows = retrieval.descriptors.size(0);
    const auto queries = retrieval.queries;
    const auto named = std::make_shared<NamedHost>(name_, host);
    call([&] { inner_->apply(retrieval, *named); });
    if (retrieval.queries != queries) {
      gave(std::to_string(retrieval.queries) + " as the number of queries, which is " +
           std::to_string(queries) + " and must stay so");
    }
    if (step() == Step::descriptors) {
      if (retrieval.distances) {
        gave(
            "distances, but its step() says that it changes descriptors; one that computes distances is "
            "Step::distances");
      }
      check_descriptors(retrieval.descriptors, rows);
      return;
    }
    if (!retrieval.distances) gave("no distances, which a step of this kind must set");
    retrieval.distances = [named, subject = subject_, block = std::move(retrieval.distances),
                           images = rows - queries](std::int64_t first, std::int64_t last) {
      auto distances = guarded(subject, [&] { return block(first, last); });
      const auto count = last - first;
      if (!is_rows(distances, count) || distances.size(1) != images) {
        throw ComponentFault(subject, "gave " + tensor_text(distances) + " as distances; they must be [" +
                                          std::to_string(count) + ", " + std::to_string(images) +
                                          "], queries x gallery, in 32-bit floats on the CPU");
      }
      if (const auto bad = first_bad_row(distances); bad >= 0) {
        throw ComponentFault(subject, "gave query " + std::to_string(first + bad) +
                                          " (from 0) a distance that is not finite; check its parameters "
                                          "and the descriptors of that query");
      }
      return distances;
    };
  }

 private:
  void check_descriptors(torch::Tensor& descriptors, std::int64_t rows) const {
    if (!is_rows(descriptors, rows) || descriptors.size(1) < 1) {
      gave(tensor_text(descriptors) + " as descriptors; they must be [" + std::to_string(rows) +
           ", dim], queries before gallery, in 32-bit floats on the CPU");
    }
    descriptors = descriptors.contiguous();
    if (const auto bad = first_bad_row(descriptors); bad >= 0) {
      gave("a descriptor that is not finite, row " + std::to_string(bad) +
           " (from 0, the queries first); check for very long or very short descriptors");
    }
    const auto directed = descriptors.ne(0).any(1).contiguous();
    const auto* good = directed.data_ptr<bool>();
    const auto row = std::find(good, good + rows, false) - good;
    if (row != rows) {
      gave("a descriptor of length 0, row " + std::to_string(row) +
           " (from 0, the queries first), which has no direction to compare; check its parameters");
    }
  }

  std::string name_;
};

}  // namespace

std::unique_ptr<PostProcessor> guard(std::unique_ptr<PostProcessor> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedPostProcessor>(std::move(inner), info);
}

}  // namespace kindred::recipe
