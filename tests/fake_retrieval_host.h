// A RetrievalHost for tests of post-processors, with descriptors and distances "on disk".
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/search/retrieval.h"

namespace kindred::test {

class FakeRetrievalHost : public RetrievalHost {
 public:
  [[nodiscard]] torch::Device device() const override { return torch::kCPU; }
  void progress(const std::string&, std::int64_t done, std::int64_t total) override {
    last_done = done;
    last_total = total;
  }
  void warn(const std::string& text) override { warnings.push_back(text); }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path& folder) override {
    return descriptors.at(folder.string()).clone();
  }
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path& file) override {
    return [all = distances.at(file.string())](std::int64_t first, std::int64_t last) {
      return all.slice(0, first, last).clone();
    };
  }

  std::map<std::string, torch::Tensor> descriptors;  ///< by folder
  std::map<std::string, torch::Tensor> distances;    ///< by file
  std::vector<std::string> warnings;
  std::int64_t last_done = 0;
  std::int64_t last_total = 0;
};

}  // namespace kindred::test
