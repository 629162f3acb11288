// What post-processors and labelers may ask of the search that they are part of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/search/retrieval.h"
#include "progress/meter.h"
#include "ranking/post_processing.h"

namespace kindred::ranking {

/// Which rows of the whole search a part of it consists of.
struct SearchPart {
  std::vector<std::int64_t> query;    ///< ascending
  std::vector<std::int64_t> gallery;  ///< ascending
};

class SearchHost final : public RetrievalHost {
 public:
  /// `input`, of which only the samples are looked at, and `progress` must outlive it.
  SearchHost(const SearchInput& input, SearchPart part, torch::Device device,
             progress::ProgressSink& progress);

  [[nodiscard]] torch::Device device() const override { return device_; }
  void progress(const std::string& step, std::int64_t done, std::int64_t total) override;
  void warn(const std::string& text) override { sink_.note("warning: " + text); }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path& folder) override;
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path& file) override;

 private:
  const SearchInput& input_;
  SearchPart part_;
  torch::Device device_;
  progress::ProgressSink& sink_;
  std::string step_;
  std::optional<progress::Meter> meter_;
};

}  // namespace kindred::ranking
