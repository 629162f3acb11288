#include "ranking/search_host.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <memory>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "file/feature_files.h"
#include "file/npy.h"
#include "kindred/core/error.h"
#include "kindred/search/nearest_share.h"
#include "ranking/multi_query.h"

namespace kindred::ranking {
namespace {

/// Descriptors of the images of one side, from the rows of a file that may hold others and in another order.
void copy_rows_of(const std::filesystem::path& file, const std::vector<Sample>& samples,
                  const std::vector<std::int64_t>& wanted, torch::Tensor& out, std::int64_t first_out) {
  const file::FeatureReader reader(file);
  constexpr std::int64_t several = -1;
  std::unordered_map<std::string_view, std::int64_t> rows;
  for (std::size_t i = 0; i < reader.samples().size(); ++i) {
    const auto [at, is_new] = rows.emplace(reader.samples()[i].path, static_cast<std::int64_t>(i));
    if (!is_new) at->second = several;
  }
  if (out.defined() && out.size(1) != reader.dim()) {
    throw DataError(file, "its descriptors have " + std::to_string(reader.dim()) +
                              " numbers, but those of the queries have " + std::to_string(out.size(1)));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& path = samples[static_cast<std::size_t>(wanted[i])].path;
    const auto at = rows.find(path);
    if (at == rows.end()) {
      throw DataError(
          file, "has no descriptor of '" + path + "'; extract features of the same images with both models");
    }
    if (at->second == several) {
      throw DataError(file, "has several descriptors of '" + path +
                                "', and does not tell which is whose; give each image a path of its own");
    }
    out[first_out + static_cast<std::int64_t>(i)].copy_(reader.rows(at->second, at->second + 1)[0]);
  }
}

/// What all ranks search for: products and blocks may depend on the memory and the threads of each.
struct AgreedSearch {
  NearestOptions options;
  NearestShare share;
};

AgreedSearch agreed(const NearestOptions& options, const system::Ranks& ranks) {
  const auto of_all = torch::stack(ranks.gather(
      torch::tensor({options.block_rows, static_cast<std::int64_t>(at::get_num_threads())}, torch::kLong)));
  const auto least = std::get<0>(of_all.min(0));
  AgreedSearch search{options, {ranks.rank(), ranks.count(), least[1].item<std::int64_t>()}};
  auto& result = search.options;
  result.block_rows = least[0].item<std::int64_t>();
  if (ranks.any(options.products_of == 0)) result.products_of = 0;
  if (ranks.any(options.device.is_cpu()) && ranks.any(!options.device.is_cpu())) {
    throw Error("rank " + std::to_string(ranks.rank()) + " of " + std::to_string(ranks.count()) +
                ": error: compares descriptors on " + options.device.str() +
                ", and others do not; give all ranks the same kind of device (machine.device)");
  }
  return search;
}

/// Rows of numbers as a tensor that shares their memory.
template <class Number>
torch::Tensor table_of(std::vector<Number>& numbers, std::int64_t columns, torch::ScalarType type) {
  return torch::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size()) / columns, columns},
                          torch::TensorOptions(type));
}

template <class Number>
std::vector<Number> numbers_of(const torch::Tensor& table) {
  const auto whole = table.contiguous();
  const auto* first = whole.data_ptr<Number>();
  return {first, first + whole.numel()};
}

/// What all ranks have found together.
NearestRows merged(const torch::Tensor& query, const torch::Tensor& gallery, NearestRows own,
                   const system::Ranks& ranks) {
  const auto rows = ranks.gather(table_of(own.rows, own.count, torch::kInt32));
  const auto distances = ranks.gather(table_of(own.distances, own.count, torch::kFloat32));
  std::vector<NearestRows> shares(rows.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i].count = own.count;
    shares[i].rows = numbers_of<std::int32_t>(rows[i]);
    shares[i].distances = numbers_of<float>(distances[i]);
  }
  if (!own.farthest.empty()) {
    const auto farthest = ranks.gather(table_of(own.farthest, 1, torch::kFloat32));
    for (std::size_t i = 0; i < shares.size(); ++i) shares[i].farthest = numbers_of<float>(farthest[i]);
  }
  auto result = merge_shares(query, gallery, shares);
  if (own.products.defined()) {
    ranks.sum(own.products);
    result.products = own.products;
  }
  return result;
}

}  // namespace

SearchHost::SearchHost(const SearchInput& input, SearchPart part, torch::Device device,
                       progress::ProgressSink& progress, const system::Ranks& ranks)
    : input_(input), part_(std::move(part)), device_(device), sink_(progress), ranks_(ranks) {}

void SearchHost::progress(const std::string& step, std::int64_t done, std::int64_t total) {
  if (!meter_ || step_ != step) {
    meter_.emplace(sink_, step, total);
    step_ = step;
  }
  meter_->update(done);
  if (done < total) return;
  meter_->finish();
  meter_.reset();
}

torch::Tensor SearchHost::descriptors_of(const std::filesystem::path& folder) {
  const auto queries = static_cast<std::int64_t>(part_.query.size());
  const auto images = static_cast<std::int64_t>(part_.gallery.size());
  const auto version = file::version_of_features(folder / "query.npy");
  const file::FeatureReader query(folder / "query.npy");
  query.require_arrays();
  auto rows = torch::empty({queries + images, query.dim()});
  if (input_.merged_from.empty()) {
    copy_rows_of(folder / "query.npy", input_.query, part_.query, rows, 0);
  } else {
    // What is merged is decided by the samples, so these are the queries of the search in its order.
    const auto merged = merge_queries(image_rows(folder / "query.npy"), (folder / "query.npy").string());
    rows.slice(0, 0, queries)
        .copy_(merged.descriptors.index_select(0, torch::tensor(part_.query, torch::kLong)));
  }
  copy_rows_of(folder / "gallery.npy", input_.gallery, part_.gallery, rows, queries);
  version.require_unchanged();
  return rows;
}

file::Features SearchHost::image_rows(const std::filesystem::path& file) const {
  const auto& samples = input_.merged_from;
  std::vector<std::int64_t> all(samples.size());
  std::iota(all.begin(), all.end(), 0);
  file::Features features{
      torch::empty({static_cast<std::int64_t>(all.size()), file::FeatureReader(file).dim()}), samples};
  copy_rows_of(file, samples, all, features.descriptors, 0);
  return features;
}

DistanceBlock SearchHost::distances_of(const std::filesystem::path& file) {
  if (!input_.merged_from.empty()) {
    throw DataError(
        file,
        "holds the distances of single query images, but evaluate.multi_query merges queries, and "
        "distances cannot be merged; evaluate without multi_query, or combine the models by "
        "their descriptors instead of their distances");
  }
  const auto reader = std::make_shared<const file::NpyReader>(file);
  const auto queries = static_cast<std::int64_t>(input_.query.size());
  const auto images = static_cast<std::int64_t>(input_.gallery.size());
  if (reader->shape() != std::vector<std::int64_t>{queries, images} ||
      !torch::isFloatingType(reader->type())) {
    throw DataError(file, "must contain distances of " + std::to_string(queries) + " queries x " +
                              std::to_string(images) +
                              " gallery images, as `kindred match --distances` writes them");
  }
  const auto columns = torch::tensor(part_.gallery, torch::kLong);
  const bool whole = part_.gallery.size() == input_.gallery.size();
  return [reader, columns, whole, rows = part_.query](std::int64_t first, std::int64_t last) {
    auto result = torch::empty({last - first, columns.size(0)});
    for (auto i = first; i < last; ++i) {
      const auto row = rows[static_cast<std::size_t>(i)];
      const auto distances = reader->rows(row, row + 1).to(torch::kFloat)[0];
      result[i - first].copy_(whole ? distances : distances.index_select(0, columns));
    }
    return result;
  };
}

NearestRows SearchHost::nearest_rows(const torch::Tensor& rows, const NearestOptions& options) {
  if (!ranks_.are_many()) return kindred::nearest_rows(rows, options);
  const auto search = agreed(options, ranks_);
  return merged(rows, rows, nearest_rows_of_share(rows, search.options, search.share), ranks_);
}

NearestRows SearchHost::nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                     const NearestOptions& options) {
  if (!ranks_.are_many()) return kindred::nearest_rows(query, gallery, options);
  const auto search = agreed(options, ranks_);
  return merged(query, gallery, nearest_rows_of_share(query, gallery, search.options, search.share), ranks_);
}

}  // namespace kindred::ranking
