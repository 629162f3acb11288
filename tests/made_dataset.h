// A data set made of samples and pictures in memory, and what is said of a data set that was written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
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
  /// A frame of a tracklet.
  void add_frame(const std::string& tracklet, const std::string& path, std::int64_t identity,
                 std::int64_t camera, Split split) {
    add(path, identity, camera, split);
    samples_.back().tracklet = tracklet;
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

/// Of all splits, with a distractor, junk, two domains and numbers of many digits.
inline MadeDataset mixed_dataset() {
  MadeDataset data;
  data.add("x1", 3, 1, Split::train);
  data.add("x2", 3, 1, Split::train);
  data.add("x3", 12345, 12, Split::train);
  data.add("x4", 7, 2, Split::query, 500, "violet");
  data.add("x5", 7, 3, Split::gallery, 501, "origin");
  data.add("x6", 0, 3, Split::gallery);
  data.add("x7", junk_identity, 3, Split::gallery);
  return data;
}

/// What is said of each sample but its path, in no order.
inline std::multiset<std::string> facts_of(const std::vector<Sample>& samples, bool with_domains = true) {
  std::multiset<std::string> facts;
  for (const Sample& s : samples) {
    facts.insert(std::to_string(s.identity) + " c" + std::to_string(s.camera) + ' ' + split_name(s.split) +
                 ' ' + (with_domains ? s.domain : ""));
  }
  return facts;
}

inline std::vector<std::string> files_below(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace kindred::test
