// What a component is given as its host.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "kindred/search/retrieval.h"

namespace kindred::recipe {

/// Puts the component's name before its warnings.
class NamedHost final : public RetrievalHost {
 public:
  NamedHost(std::string name, RetrievalHost& host) : name_(std::move(name)), host_(host) {}
  [[nodiscard]] torch::Device device() const override { return host_.device(); }
  void progress(const std::string& step, std::int64_t done, std::int64_t total) override {
    host_.progress(step, done, total);
  }
  void warn(const std::string& text) override { host_.warn(name_ + ": " + text); }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path& folder) override {
    return host_.descriptors_of(folder);
  }
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path& file) override {
    return host_.distances_of(file);
  }
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options) override {
    return host_.nearest_rows(rows, options);
  }
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                         const NearestOptions& options) override {
    return host_.nearest_rows(query, gallery, options);
  }

 private:
  std::string name_;
  RetrievalHost& host_;
};

}  // namespace kindred::recipe
