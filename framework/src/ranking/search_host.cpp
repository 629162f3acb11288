#include "ranking/search_host.h"

#include <torch/torch.h>

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "file/feature_files.h"
#include "file/npy.h"
#include "kindred/core/error.h"

namespace kindred::ranking {
namespace {

/// Descriptors of the images of one side, from the rows of a file that may hold others and in another order.
void copy_rows_of(const std::filesystem::path& file, const std::vector<Sample>& samples,
                  const std::vector<std::int64_t>& wanted, torch::Tensor& out, std::int64_t first_out) {
  const file::FeatureReader reader(file);
  std::unordered_map<std::string_view, std::int64_t> rows;
  for (std::size_t i = 0; i < reader.samples().size(); ++i) {
    rows.emplace(reader.samples()[i].path, static_cast<std::int64_t>(i));
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
    out[first_out + static_cast<std::int64_t>(i)].copy_(reader.rows(at->second, at->second + 1)[0]);
  }
}

}  // namespace

SearchHost::SearchHost(const SearchInput& input, SearchPart part, torch::Device device,
                       progress::ProgressSink& progress)
    : input_(input), part_(std::move(part)), device_(device), sink_(progress) {}

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
  auto rows = torch::empty({queries + images, file::FeatureReader(folder / "query.npy").dim()});
  copy_rows_of(folder / "query.npy", input_.query, part_.query, rows, 0);
  copy_rows_of(folder / "gallery.npy", input_.gallery, part_.gallery, rows, queries);
  return rows;
}

DistanceBlock SearchHost::distances_of(const std::filesystem::path& file) {
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

}  // namespace kindred::ranking
