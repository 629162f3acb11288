#include "pca_whitening.h"

#include <torch/torch.h>

#include <algorithm>
#include <string>
#include <utility>

#include "centering.h"
#include "kindred/core/error.h"
#include "kindred/search/row_lengths.h"

namespace kindred::descriptor_transforms {
namespace {

constexpr const char* component = "post_processor/pca_whitening";

torch::Tensor covariance(const torch::Tensor& rows, const torch::Tensor& mean, torch::Device device) {
  const auto dim = rows.size(1);
  auto result = torch::zeros({dim, dim}, torch::TensorOptions(device).dtype(torch::kDouble));
  for (std::int64_t first = 0; first < rows.size(0); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, rows.size(0));
    const auto block = centered_rows(rows, first, last, mean).to(device);
    result.addmm_(block.t(), block);
  }
  return result.div_(static_cast<double>(rows.size(0)));
}

}  // namespace

Schema<PcaWhitening::Params> PcaWhitening::schema() {
  Schema<Params> s(
      "Projects descriptors onto their principal components and equalizes the variances of the components.",
      "Jegou and Chum, ECCV 2012");
  s.add("dim", &Params::dim, "number of components to keep, those with the largest variance; 0: all")
      .at_least(0)
      .formerly("width");
  s.add("whiten", &Params::whiten,
        "each component is divided by its variance to this power; 0: no whitening, 0.5: all variances become "
        "1")
      .range(0, 0.5);
  s.add("eps", &Params::eps,
        "added to each variance, as a share of the largest; keeps noise from being amplified")
      .range(0, 1);
  s.add("learn_on", &Params::learn_on,
        "descriptors that the components are computed from; 'gallery': those of the gallery; 'all': those of "
        "the queries too",
        {{"gallery", Learn::gallery}, {"all", Learn::all}});
  return s;
}

PcaWhitening::PcaWhitening(const Params& params, const Context& /*context*/) : params_(params) {}

torch::Tensor PcaWhitening::projection(const torch::Tensor& rows, const torch::Tensor& mean,
                                       torch::Device device) const {
  const auto decomposed = at::linalg_eigh(covariance(rows, mean, device));
  const auto variances = std::get<0>(decomposed).to(torch::kCPU).flip(0).contiguous();
  const auto* variance = variances.data_ptr<double>();
  const double terms = static_cast<double>(std::max(rows.size(0), rows.size(1)));
  const double rounding = terms * 0x1p-52;  // of rows of length 1
  const auto rank =
      std::find_if(variance, variance + rows.size(1), [&](double v) { return v <= rounding; }) - variance;
  const std::string whose = params_.learn_on == Learn::gallery ? "the gallery's " : "the ";
  if (rank == 0) {
    throw ComponentError(
        component,
        "all of " + whose +
            "descriptors are equal, so they have no principal components; remove this post-processor");
  }
  if (params_.dim > rank) {
    throw ComponentError(component, "dim = " + std::to_string(params_.dim) +
                                        " is more than the number of principal components of " + whose +
                                        std::to_string(rows.size(0)) + " descriptors of " +
                                        std::to_string(rows.size(1)) + " numbers; allowed are 1 to " +
                                        std::to_string(rank) + ", or 0 for all");
  }
  const auto dim = params_.dim == 0 ? rank : params_.dim;
  auto vectors = std::get<1>(decomposed).to(torch::kCPU).flip(1).slice(1, 0, dim);
  const auto largest = vectors.gather(0, vectors.abs().argmax(0, true));
  // Times what makes the first 1: the direction is the same, and no length is lost.
  const auto damped = variances.slice(0, 0, dim).add(params_.eps * variance[0]);
  return vectors * largest.sign() * damped.div(damped[0].clone()).pow(-params_.whiten);
}

void PcaWhitening::apply(Retrieval& retrieval, RetrievalHost& host) const {
  const auto rows = std::exchange(retrieval.descriptors, torch::Tensor());
  scale_to_unit_length(rows);
  const auto learned = params_.learn_on == Learn::gallery ? rows.slice(0, retrieval.queries) : rows;
  const auto mean = mean_row(learned);
  const auto device = host.device();
  const auto onto = projection(learned, mean, device).to(device);
  auto result = torch::empty({rows.size(0), onto.size(1)});
  for (std::int64_t first = 0; first < rows.size(0); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, rows.size(0));
    auto block = result.slice(0, first, last);
    block.copy_(torch::mm(centered_rows(rows, first, last, mean).to(device), onto));
  }
  require_length(result, component,
                 "equals the mean in all components that are kept, so it has no direction; keep more "
                 "components (dim) or leave that image out");
  scale_to_unit_length(result);
  retrieval.descriptors = result;
}

}  // namespace kindred::descriptor_transforms
