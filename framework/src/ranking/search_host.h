// What post-processors and labelers may ask of the search that they are part of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "kindred/search/retrieval.h"
#include "progress/meter.h"
#include "ranking/post_processing.h"
#include "system/ranks.h"

namespace kindred::ranking {

/// Which rows of the whole search a part of it consists of.
struct SearchPart {
  std::vector<std::int64_t> query;    ///< ascending
  std::vector<std::int64_t> gallery;  ///< ascending
};

class SearchHost final : public RetrievalHost {
 public:
  /// `input`, of which only the samples are looked at, and `progress` must outlive it.
  /// @param ranks those that search together, each with a host for the same search; rank 0 warns
  SearchHost(const SearchInput& input, SearchPart part, torch::Device device,
             progress::ProgressSink& progress, const system::Ranks& ranks = system::Ranks::alone());

  [[nodiscard]] torch::Device device() const override { return device_; }
  void progress(const std::string& step, std::int64_t done, std::int64_t total) override;
  void warn(const std::string& text) override {
    if (ranks_.is_first()) sink_.note("warning: " + text);
  }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path& folder) override;
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path& file) override;
  /// Throws Error when the ranks compute on processors here and on GPUs there.
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options) override;
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                         const NearestOptions& options) override;

 private:
  /// Of the images that the queries were merged from.
  [[nodiscard]] file::Features image_rows(const std::filesystem::path& file) const;

  const SearchInput& input_;
  SearchPart part_;
  torch::Device device_;
  progress::ProgressSink& sink_;
  const system::Ranks& ranks_;
  std::string step_;
  std::optional<progress::Meter> meter_;
};

}  // namespace kindred::ranking
