// A data set made of samples and pictures in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data_files.h"
#include "kindred/role/dataset.h"

namespace kindred::test {

class MadeDataset final : public Dataset {
 public:
  /// @param seed of the picture: equal seeds give equal pixels
  void add(const std::string& path, std::int64_t identity, std::int64_t camera, Split split, int seed,
           const std::string& domain = "", cv::Size size = {16, 32}) {
    samples_.push_back({path, identity, camera, domain, split});
    pictures_[path] = picture(seed, size.width, size.height);
  }
  /// The same with pixels that no other call gives.
  void add(const std::string& path, std::int64_t identity, std::int64_t camera, Split split) {
    add(path, identity, camera, split, 1000 + static_cast<int>(samples_.size()));
  }
  void add_unreadable(const std::string& path, std::int64_t identity, std::int64_t camera, Split split) {
    samples_.push_back({path, identity, camera, "", split});
  }

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    const auto found = pictures_.find(sample.path);
    if (found == pictures_.end()) throw DataError(sample.path, "is empty (0 bytes)");
    return found->second.clone();
  }

 private:
  std::vector<Sample> samples_;
  std::map<std::string, cv::Mat> pictures_;
};

}  // namespace kindred::test
