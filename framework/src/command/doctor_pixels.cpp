#include <algorithm>
#include <cstring>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/doctor_checks.h"
#include "data/each_image.h"
#include "kindred/core/error.h"

namespace kindred::command {
namespace {

/// What is kept of an image once it has been decoded.
struct Seen {
  int width = 0;  ///< 0: could not be read
  int height = 0;
  std::size_t hash = 0;
  std::string reason;
};

std::size_t hash_pixels(const cv::Mat& image) {
  std::size_t hash = 0;
  for (int y = 0; y < image.rows; ++y) {
    const std::string_view row(image.ptr<char>(y), static_cast<std::size_t>(image.cols) * image.elemSize());
    hash = hash * 31 + std::hash<std::string_view>{}(row);
  }
  return hash;
}

bool same_pixels(const cv::Mat& a, const cv::Mat& b) {
  if (a.size() != b.size() || a.type() != b.type()) return false;
  const std::size_t row = static_cast<std::size_t>(a.cols) * a.elemSize();
  for (int y = 0; y < a.rows; ++y) {
    if (std::memcmp(a.ptr(y), b.ptr(y), row) != 0) return false;
  }
  return true;
}

const std::string& path_of(const Sample* sample) {
  return sample->path;
}
const std::string& path_of(const Sample& sample) {
  return sample.path;
}

/// An image that is a query and in the gallery, too, is two samples of one path, and no copy of itself.
template <class Samples>
bool are_one_image(const Samples& samples) {
  return std::all_of(samples.begin(), samples.end(),
                     [&](const auto& sample) { return path_of(sample) == path_of(samples.front()); });
}

/// Splits images of one hash into groups of truly equal pixels.
std::vector<Duplicates> confirm(const Dataset& dataset, const std::vector<const Sample*>& candidates) {
  std::vector<std::pair<cv::Mat, Duplicates>> groups;
  for (const Sample* sample : candidates) {
    const cv::Mat image = dataset.image(*sample);
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [&](const auto& known) { return same_pixels(known.first, image); });
    if (group == groups.end()) {
      groups.emplace_back(image, Duplicates{*sample});
    } else {
      group->second.push_back(*sample);
    }
  }
  std::vector<Duplicates> result;
  for (auto& [image, group] : groups) {
    if (!are_one_image(group)) result.push_back(std::move(group));
  }
  return result;
}

std::vector<Duplicates> find_duplicates(const Dataset& dataset, const std::vector<Sample>& samples,
                                        const std::vector<Seen>& seen) {
  std::unordered_map<std::size_t, std::vector<const Sample*>> by_hash;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (seen[i].width > 0) by_hash[seen[i].hash].push_back(&samples[i]);
  }
  std::vector<Duplicates> duplicates;
  for (const auto& [hash, candidates] : by_hash) {
    if (are_one_image(candidates)) continue;
    for (Duplicates& group : confirm(dataset, candidates)) duplicates.push_back(std::move(group));
  }
  std::sort(duplicates.begin(), duplicates.end(),
            [](const Duplicates& a, const Duplicates& b) { return a.front().path < b.front().path; });
  return duplicates;
}

}  // namespace

void examine_pixels(const Dataset& dataset, const std::vector<Sample>& samples, progress::ProgressSink* sink,
                    DoctorReport& report) {
  std::vector<Seen> seen(samples.size());
  data::for_each_image(samples.size(), "doctor", sink, [&](std::size_t i) {
    try {
      const cv::Mat image = dataset.image(samples[i]);
      seen[i] = {image.cols, image.rows, hash_pixels(image), ""};
    } catch (const Error& error) {
      seen[i].reason = error.what();
    }
  });
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (seen[i].width == 0) {
      report.unreadable.push_back({samples[i].path, seen[i].reason});
      continue;
    }
    const auto split =
        std::find_if(report.splits.begin(), report.splits.end(),
                     [&](const SplitFigures& figures) { return figures.split == samples[i].split; });
    ++split->sizes[{seen[i].width, seen[i].height}];
  }
  report.duplicates = find_duplicates(dataset, samples, seen);
}

}  // namespace kindred::command
