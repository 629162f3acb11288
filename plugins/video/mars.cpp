#include "mars.h"

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/image_list.h"
#include "kindred/text/mat_file.h"
#include "kindred/text/name_scanner.h"

namespace kindred::video {
namespace {

/// Half of the data set.
struct Part {
  const char* folder;
  const char* names;
  const char* tracks;
  const char* variable;
};
constexpr Part train_part{"bbox_train", "train_name.txt", "tracks_train_info.mat", "track_train_info"};
constexpr Part test_part{"bbox_test", "test_name.txt", "tracks_test_info.mat", "track_test_info"};
constexpr const char* query_file = "query_IDX.mat";

bool is_there(const std::filesystem::path& root, const Part& part) {
  return is_folder(root / part.folder) && is_file(root / "info" / part.tracks);
}

MatNumbers variable_of(const std::filesystem::path& file, const std::string& name) {
  auto variables = read_mat_file(file);
  const auto found = variables.numbers.find(name);
  if (found == variables.numbers.end()) {
    throw DataError(file, "has no variable '" + name + "' of whole numbers; download the folder info again");
  }
  return std::move(found->second);
}

class Tracks {
 public:
  Tracks(const std::filesystem::path& root, const Part& part)
      : root_(root),
        part_(part),
        file_(root / "info" / part.tracks),
        tracks_(variable_of(file_, part.variable)) {
    if (tracks_.columns != 4) {
      throw DataError(file_, "'" + std::string(part.variable) + "' has " + std::to_string(tracks_.columns) +
                                 " columns; expected 4: first frame, last frame, identity, camera");
    }
    names_ = read_name_list(names_file());
    const auto present = list_images(root / part.folder, Depth::all_below);
    present_.insert(present.begin(), present.end());
  }

  [[nodiscard]] std::size_t size() const { return tracks_.rows; }

  /// The frames of one.
  void add(std::vector<Sample>& samples, std::size_t track, Split split) const {
    const auto first = tracks_.at(track, 0);
    const auto last = tracks_.at(track, 1);
    if (first < 1 || last < first || static_cast<std::size_t>(last) > names_.size()) {
      throw wrong(track, "has the frames " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                             std::to_string(names_.size()) + " in '" + part_.names + "'");
    }
    std::string tracklet;
    for (auto i = static_cast<std::size_t>(first - 1); i < static_cast<std::size_t>(last); ++i) {
      const auto& [name, number, line] = names_[i];
      const auto parsed = parse_mars_name(name);
      if (!parsed) {
        throw DataError(names_file(), line,
                        "image '" + name +
                            "' is not named IIIICcTttttFfff.jpg (identity, camera, tracklet, frame), such as "
                            "0001C1T0001F016.jpg; restore its name");
      }
      if (parsed->identity != tracks_.at(track, 2) || parsed->camera != tracks_.at(track, 3)) {
        throw wrong(track, "is of identity " + std::to_string(tracks_.at(track, 2)) + " and camera " +
                               std::to_string(tracks_.at(track, 3)) + ", but its frame '" + name +
                               "' is named for others");
      }
      const auto below = parsed->folder + '/' + name;
      if (!present_.contains(below)) {
        throw DataError(names_file(), line,
                        "image '" + below + "' is not in " + (root_ / part_.folder).string() +
                            "; unpack the data set again");
      }
      if (tracklet.empty()) tracklet = name.substr(0, name.find('.'));
      Sample sample;
      sample.path = std::string(part_.folder) + '/' + below;
      sample.identity = parsed->identity;
      sample.camera = parsed->camera;
      sample.split = split;
      sample.tracklet = tracklet;
      samples.push_back(std::move(sample));
    }
  }

  [[nodiscard]] DataError wrong(std::size_t track, const std::string& what) const {
    return {file_, "tracklet " + std::to_string(track + 1) + " " + what + "; download the folder info again"};
  }

 private:
  [[nodiscard]] std::filesystem::path names_file() const { return root_ / "info" / part_.names; }

  std::filesystem::path root_;
  Part part_;
  std::filesystem::path file_;
  MatNumbers tracks_;
  std::vector<ListLine> names_;
  std::unordered_set<std::string> present_;
};

/// Whether each test tracklet is a query.
std::vector<bool> queries_of(const std::filesystem::path& root, std::size_t tracks) {
  const auto file = root / "info" / query_file;
  std::vector<bool> queries(tracks, false);
  for (const auto number : variable_of(file, "query_IDX").values) {
    if (number < 1 || static_cast<std::size_t>(number) > tracks) {
      throw DataError(file, "names test tracklet " + std::to_string(number) + " of " +
                                std::to_string(tracks) + "; download the folder info again");
    }
    queries[static_cast<std::size_t>(number - 1)] = true;
  }
  return queries;
}

/// A frame in two tracklets would be two samples of one path.
void require_frames_of_one_tracklet(const std::vector<Sample>& samples, const std::filesystem::path& root) {
  std::unordered_set<std::string> paths;
  for (const auto& sample : samples) {
    if (paths.insert(sample.path).second) continue;
    throw DataError(root / "info",
                    "has '" + sample.path + "' in two tracklets; download the folder info again");
  }
}

}  // namespace

std::optional<MarsName> parse_mars_name(std::string_view name) {
  if (name.size() < 4) return std::nullopt;
  MarsName result{std::string(name.substr(0, 4))};
  NameScanner scanner(name);
  if (scanner.skip("00-1")) {
    result.identity = junk_identity;
  } else {
    const auto identity = scanner.number();
    if (!identity || scanner.rest().size() + 4 != name.size()) return std::nullopt;
    result.identity = *identity;
  }
  if (!scanner.skip("C")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("T") || !scanner.number() || !scanner.skip("F") || !scanner.number() ||
      !scanner.skip(".")) {
    return std::nullopt;
  }
  result.camera = *camera;
  return result;
}

Schema<Mars::Params> Mars::schema() {
  Schema<Params> s(
      "MARS: tracklets of people, cut out of video by a detector and a tracker.",
      "Zheng et al., MARS: A Video Benchmark for Large-Scale Person Re-Identification, ECCV 2016");
  s.add("root", &Params::root,
        "folder with bbox_train, bbox_test and info; relative to the working directory")
      .required()
      .location();
  return s;
}

Mars::Mars(const Params& params, const Context& /*context*/) : root_(params.root) {}

std::vector<Sample> Mars::samples() const {
  if (!is_folder(root_)) {
    throw DataError(root_,
                    "is not a folder; set root to the folder with 'bbox_train', 'bbox_test' and 'info'");
  }
  const bool train = is_folder(root_ / train_part.folder);
  const bool test = is_folder(root_ / test_part.folder);
  if (!train && !test) {
    throw DataError(
        root_, "contains neither 'bbox_train' nor 'bbox_test'; set root to the folder that contains them");
  }
  std::vector<Sample> samples;
  if (train) {
    const Tracks tracks(root_, train_part);
    for (std::size_t i = 0; i < tracks.size(); ++i) tracks.add(samples, i, Split::train);
  }
  if (test) {
    const Tracks tracks(root_, test_part);
    const auto queries = queries_of(root_, tracks.size());
    for (const Split split : {Split::query, Split::gallery}) {
      for (std::size_t i = 0; i < tracks.size(); ++i) {
        if (queries[i] == (split == Split::query)) tracks.add(samples, i, split);
      }
    }
  }
  require_frames_of_one_tracklet(samples, root_);
  return samples;
}

cv::Mat Mars::image(const Sample& sample) const {
  return read_image(root_ / sample.path);
}

Recognition Mars::recognize() const {
  return is_there(root_, train_part) || is_there(root_, test_part) ? Recognition::certain : Recognition::no;
}

}  // namespace kindred::video
