#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "command/doctor_checks.h"
#include "data/distractors.h"
#include "data/tracklets.h"
#include "kindred/core/error.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

std::string images(std::int64_t count) {
  return text::count_text(count, "image", "images");
}

std::string queries(std::int64_t count) {
  return text::count_text(count, "query", "queries");
}

/// "is" or "are"
const char* be(std::int64_t count) {
  return count == 1 ? "is" : "are";
}

/// One rule after another, each adding a finding or none.
class Rules {
 public:
  Rules(const std::vector<Sample>& samples, const DoctorReport& report)
      : samples_(samples), report_(report), has_distractors_(data::has_distractors(samples)) {}

  std::vector<Finding> all() {
    unreadable();
    tracklets();
    train_labels();
    test_halves();
    test_labels();
    matches();
    cameras();
    shared_identities();
    identities_of_several_domains();
    identities_of_several_folders();
    duplicates();
    unused();
    shapes();
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    return std::move(found_);
  }

 private:
  using Condition = std::function<bool(const Sample&)>;

  void add(Severity severity, std::string code, std::string message, std::string remedy,
           std::vector<std::string> examples = {}) {
    found_.push_back({severity, std::move(code), std::move(message), std::move(remedy), std::move(examples)});
  }

  [[nodiscard]] const SplitFigures* split(Split wanted) const {
    for (const SplitFigures& figures : report_.splits) {
      if (figures.split == wanted) return &figures;
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<std::string> paths(const Condition& condition) const {
    std::vector<std::string> result;
    for (const Sample& sample : samples_) {
      if (condition(sample)) result.push_back(sample.path);
    }
    return result;
  }

  void unreadable() {
    if (report_.unreadable.empty()) return;
    std::vector<std::string> examples;
    for (const UnreadableImage& image : report_.unreadable) examples.push_back(image.reason);
    const auto count = static_cast<std::int64_t>(examples.size());
    add(Severity::error, "unreadable", images(count) + " cannot be read; training stops at the first one.",
        "Copy or download them again, or delete them and their lines in lists. To train without them, set "
        "loader.skip_bad_images = true.",
        std::move(examples));
  }

  void tracklets() {
    std::vector<std::string> contradictory;
    std::vector<std::string> single;
    for (const auto& frames : data::frames_of_tracklets(samples_)) {
      const Sample& first = samples_[frames.front()];
      if (first.tracklet.empty()) continue;
      if (frames.size() == 1) single.push_back(first.path);
      for (const auto frame : frames) {
        const std::string what = data::difference_of(first, samples_[frame]);
        if (what.empty()) continue;
        contradictory.push_back(samples_[frame].path + (what == "clothes" ? " has other " : " has another ") +
                                what + " than " + first.path + " (tracklet " + first.tracklet + ")");
        break;
      }
    }
    if (!contradictory.empty()) {
      const auto count = static_cast<std::int64_t>(contradictory.size());
      add(Severity::error, "tracklet_of_several",
          text::count_text(count, "tracklet has", "tracklets have") +
              " frames that differ in identity, camera, clothes or domain, but a tracklet shows one person "
              "before one camera.",
          "Correct these frames, or give them tracklets of their own.", std::move(contradictory));
    }
    if (!single.empty()) {
      const auto count = static_cast<std::int64_t>(single.size());
      add(Severity::note, "tracklets_of_one_frame",
          text::count_text(count, "tracklet has", "tracklets have") +
              " a single frame, so the descriptor is that of one image.",
          "Nothing if that is intended. Else check the column or the part of the file name that gives the "
          "tracklet.",
          std::move(single));
    }
  }

  void train_labels() {
    const SplitFigures* train = split(Split::train);
    if (train == nullptr) return;
    if (train->unlabeled + train->junk > 0) {
      add(Severity::error, "train_without_identity",
          images(train->unlabeled + train->junk) + " of the training split " +
              be(train->unlabeled + train->junk) +
              " unlabeled or junk, but training needs the identity of each.",
          "Give them identities from 0, or remove them from the training split.",
          paths([](const Sample& s) { return s.split == Split::train && s.identity < 0; }));
    }
    if (train->identities == 1) {
      add(Severity::error, "one_identity",
          "All labeled training images have the same identity, so there is nothing to distinguish.",
          "Check the column or the part of the file name that gives the identity.");
    }
    const auto singles = train->histogram.empty() ? 0 : train->histogram.front().second;
    if (singles > 0 && train->identities > 1) {
      add(Severity::note, "single_images",
          std::to_string(singles) + " of " +
              text::count_text(train->identities, "training identity", "training identities") +
              (singles == 1 ? " has" : " have") +
              " a single image, so there is no second image to compare it with.",
          "Add images of them, or remove them if they are many.");
    }
    if (train->identities > 1 && train->one_camera_identities == train->identities) {
      add(Severity::warning, "train_one_camera_each",
          "Each training identity is seen by only one camera, so the model cannot learn how the appearance "
          "of a person changes between cameras.",
          "Label the same people in images of several cameras.");
    }
  }

  void test_halves() {
    const bool query = split(Split::query) != nullptr;
    const bool gallery = split(Split::gallery) != nullptr;
    if (query && !gallery) {
      add(Severity::error, "no_gallery", "There are queries, but no gallery to search.",
          "Add gallery images of the identities of the queries, preferably from other cameras.");
    }
    if (gallery && !query) {
      add(Severity::note, "no_queries",
          "There is a gallery, but there are no queries: features can be extracted, but not evaluated.",
          "To evaluate, mark one image of each identity and camera as a query.");
    }
  }

  void test_labels() {
    const SplitFigures* query = split(Split::query);
    if (query == nullptr) return;
    if (query->unlabeled == query->images) {
      add(Severity::note, "unlabeled_queries",
          "The queries are unlabeled: they can be matched, but not evaluated.",
          "To evaluate, give identities to the queries and gallery images.");
    } else if (query->unlabeled > 0) {
      add(Severity::warning, "some_unlabeled_queries",
          queries(query->unlabeled) + " of " + std::to_string(query->images) + " " + be(query->unlabeled) +
              " unlabeled and ignored in evaluation.",
          "Label or remove them.",
          paths([](const Sample& s) { return s.split == Split::query && s.identity == unlabeled_identity; }));
    }
    if (query->junk > 0) {
      add(Severity::warning, "junk_queries",
          queries(query->junk) + " " + be(query->junk) + " junk (identity -1) and ignored in evaluation.",
          "Remove them: junk belongs in the gallery.",
          paths([](const Sample& s) { return s.split == Split::query && s.identity == junk_identity; }));
    }
  }

  void matches() {
    const MatchFigures& match = report_.match;
    if (match.labeled == 0 || split(Split::gallery) == nullptr) return;
    if (match.matched == 0) {
      nothing_to_evaluate();
      return;
    }
    if (match.identity_missing > 0) {
      add(Severity::warning, "identity_missing",
          queries(match.identity_missing) + " of " + std::to_string(match.labeled) +
              (match.identity_missing == 1 ? " has" : " have") +
              " no other image of the same identity in the gallery and will be ignored in the scores.",
          "Add gallery images of these identities, or remove the queries.", unmatched_queries(true));
    }
    if (match.same_camera_only > 0) {
      add(Severity::note, "no_cross_camera_match",
          queries(match.same_camera_only) + " of " + std::to_string(match.labeled) +
              (match.same_camera_only == 1 ? " has" : " have") +
              " gallery images of the same identity only from the camera of the query. Such images do not "
              "count, so the scores ignore these queries.",
          "Nothing. Gallery images from other cameras would make these queries count.",
          unmatched_queries(false));
    }
  }

  void nothing_to_evaluate() {
    const SplitFigures& gallery = *split(Split::gallery);
    std::string message;
    std::string remedy;
    const bool missing = report_.match.identity_missing == report_.match.labeled;
    if (gallery.identities == 0) {
      message = "The queries are labeled, but no gallery image is, so there are no scores.";
      remedy = "Give identities to the gallery images.";
    } else if (missing && !compared_samples(samples_).empty()) {
      message = "The gallery holds no other image of the people of the queries, so there are no scores.";
      remedy = "Add further images of these people to the gallery.";
    } else if (missing) {
      message = "The gallery contains none of the identities of the queries, so there are no scores.";
      remedy =
          "Queries and gallery must use the same identity numbers; check where the identities come from.";
    } else {
      message = "No query has a match in the gallery from another camera, so there are no scores.";
      remedy =
          "Add gallery images from other cameras, or set evaluate.cameras = \"single\" so that images from "
          "the camera of the query count.";
    }
    add(Severity::error, "nothing_to_evaluate", std::move(message), std::move(remedy),
        unmatched_queries(missing));
  }

  /// Queries without another image of their identity in the gallery, or with such images under their own
  /// camera alone. A tracklet is one query, named by its first frame.
  [[nodiscard]] std::vector<std::string> unmatched_queries(bool identity_missing) const {
    std::vector<Sample> samples;
    for (const auto& frames : data::frames_of_tracklets(samples_))
      samples.push_back(samples_[frames.front()]);
    const GalleryAnswers answers(samples);
    std::vector<std::string> unmatched;
    for (const Sample& query : samples) {
      if (query.split != Split::query || query.identity < 0) continue;
      const bool missing = answers.all(query) == 0;
      const bool own_camera_alone = !missing && answers.of_other_cameras(query) == 0;
      if (identity_missing ? missing : own_camera_alone) unmatched.push_back(query.path);
    }
    return unmatched;
  }

  void cameras() {
    const auto compared = compared_samples(samples_);
    if (compared.empty()) return;
    std::vector<std::string> without;
    std::set<std::int64_t> cameras;
    for (const Sample* sample : compared) {
      cameras.insert(sample->camera);
      if (sample->camera == unknown_camera) without.push_back(sample->path);
    }
    if (without.size() == compared.size()) {
      add(Severity::note, "cameras_unknown",
          "No camera is known: gallery images from the camera of the query are not ignored, so scores are "
          "not comparable with those of data sets with cameras.",
          "If you know the cameras, give them in the column 'camera' of a manifest or in the file names.");
    } else if (!without.empty()) {
      const auto unknown = static_cast<std::int64_t>(without.size());
      add(Severity::warning, "cameras_partly_known",
          images(unknown) + " of the " + std::to_string(compared.size()) + " that are compared " +
              be(unknown) +
              " without a camera, so no gallery image is ignored for having the camera of the query.",
          "Add the missing cameras.", std::move(without));
    } else if (cameras.size() == 1) {
      add(Severity::warning, "one_camera",
          "All queries and their gallery images are from camera " + std::to_string(*cameras.begin()) +
              ", so no gallery image is ignored for having the camera of the query, and scores are higher "
              "than across cameras.",
          "Check where the cameras come from; if there is only one camera, leave it unknown.");
    }
  }

  /// Whether all images with the sample's identity are meant to show one person; not for distractors.
  [[nodiscard]] bool is_a_person(const Sample& sample) const {
    const bool is_distractor = has_distractors_ && sample.split == Split::gallery && sample.identity == 0;
    return sample.identity >= 0 && !is_distractor;
  }

  void shared_identities() {
    std::set<std::int64_t> train;
    std::set<std::int64_t> test;
    for (const Sample& sample : samples_) {
      if (is_a_person(sample)) (sample.split == Split::train ? train : test).insert(sample.identity);
    }
    std::vector<std::string> shared;
    for (const std::int64_t identity : test) {
      if (train.contains(identity)) shared.push_back("identity " + std::to_string(identity));
    }
    if (shared.empty()) return;
    const auto count = static_cast<std::int64_t>(shared.size());
    add(Severity::warning, "identity_in_train_and_test",
        text::count_text(count, "identity is", "identities are") +
            " both in training and in test, so scores would be too high: a test needs people unseen in "
            "training.",
        "Move each identity to one side. If training and test use independent identity numbers, nothing is "
        "wrong.",
        std::move(shared));
  }

  /// For each split and identity, the parts of the data that `part_of` finds it in.
  using Parts = std::map<std::pair<Split, std::int64_t>, std::set<std::string>>;
  template <class PartOf>
  [[nodiscard]] Parts parts_of_identities(PartOf part_of) const {
    Parts parts;
    for (const Sample& sample : samples_) {
      if (!is_a_person(sample)) continue;
      // Queries and their gallery number people together.
      const Split side = sample.split == Split::train ? Split::train : Split::gallery;
      const std::string part = part_of(sample);
      if (!part.empty()) parts[{side, sample.identity}].insert(part);
    }
    return parts;
  }

  [[nodiscard]] static std::vector<std::string> of_several(const Parts& parts) {
    std::vector<std::string> shared;
    for (const auto& [key, names] : parts) {
      if (names.size() < 2) continue;
      shared.push_back(std::string(key.first == Split::train ? "train" : "test") + ": identity " +
                       std::to_string(key.second) + " in " +
                       quoted_list(std::vector<std::string>(names.begin(), names.end())));
    }
    return shared;
  }

  void identities_of_several_domains() {
    auto shared = of_several(parts_of_identities([](const Sample& sample) { return sample.domain; }));
    if (shared.empty()) return;
    const auto count = static_cast<std::int64_t>(shared.size());
    add(Severity::warning, "identity_in_several_domains",
        text::count_text(count, "identity is", "identities are") +
            " used in several domains. If each domain numbers its people by itself, different people are "
            "taken for one.",
        "Give the people of each domain numbers of their own, such as 10000 and up for the second. If the "
        "same person was seen in both, nothing is wrong.",
        std::move(shared));
  }

  /// Two data sets whose lists were joined lie in two folders, and both have an identity 1 and a camera 1.
  void identities_of_several_folders() {
    struct Folder {
      std::set<std::int64_t> identities;
      std::set<std::int64_t> cameras;
    };
    std::map<std::string, Folder> folders;
    const auto folder_of = [](const Sample& sample) {
      const auto slash = sample.path.find('/');
      return slash == std::string::npos ? std::string() : sample.path.substr(0, slash);
    };
    std::map<std::string, std::set<Split>> sides;
    for (const Sample& sample : samples_) {
      const std::string name = folder_of(sample);
      if (sample.identity < 0 || name.empty()) continue;
      folders[name].identities.insert(sample.identity);
      folders[name].cameras.insert(sample.camera);
      sides[name].insert(sample.split);
    }
    // A folder for each person, camera or split says nothing new.
    std::erase_if(folders, [&](const auto& entry) {
      return entry.second.identities.size() < 2 ||
             (sides[entry.first].size() == 1 && !sides[entry.first].contains(Split::train));
    });
    auto parts = parts_of_identities([&](const Sample& sample) {
      auto name = folder_of(sample);
      return folders.contains(name) ? name : std::string();
    });
    std::erase_if(parts, [&](const auto& entry) {
      const auto& names = entry.second;
      return !std::any_of(names.begin(), names.end(), [&](const std::string& a) {
        return std::any_of(names.begin(), names.end(), [&](const std::string& b) {
          return a != b && share(folders[a].cameras, folders[b].cameras);
        });
      });
    });
    auto shared = of_several(parts);
    if (shared.empty()) return;
    const auto count = static_cast<std::int64_t>(shared.size());
    add(Severity::note, "identity_in_several_folders",
        text::count_text(count, "identity is", "identities are") +
            " used in several folders that have cameras in common. If these folders are data sets that were "
            "numbered by themselves, different people are taken for one.",
        "If so, give the people and the cameras of each data set numbers of their own. If the same person is "
        "in both folders, nothing is wrong.",
        std::move(shared));
  }

  [[nodiscard]] static bool share(const std::set<std::int64_t>& a, const std::set<std::int64_t>& b) {
    return std::any_of(a.begin(), a.end(), [&](std::int64_t one) { return b.contains(one); });
  }

  void duplicates() {
    std::vector<std::string> contradictory;
    std::vector<std::string> leaks;
    std::vector<std::string> own_answers;
    std::vector<std::string> harmless;
    for (const Duplicates& group : report_.duplicates) {
      std::set<std::int64_t> identities;
      bool train = false;
      bool test = false;
      bool answer = false;
      for (const Sample& sample : group) {
        if (sample.identity >= 0) identities.insert(sample.identity);
        (sample.split == Split::train ? train : test) = true;
        answer = answer || is_its_own_answer(sample, group);
      }
      std::string names = describe(group);
      if (identities.size() > 1) {
        contradictory.push_back(std::move(names));
      } else if (train && test) {
        leaks.push_back(std::move(names));
      } else if (answer) {
        own_answers.push_back(std::move(names));
      } else {
        harmless.push_back(std::move(names));
      }
    }
    add_duplicates(Severity::error, "duplicates_with_different_identities",
                   "have different identities, so one must be wrong.",
                   "Look at them, then correct the identity or delete the copy.", std::move(contradictory));
    add_duplicates(Severity::warning, "duplicates_in_train_and_test",
                   "are both in training and in test, so the test is not independent.",
                   "Delete them from one side.", std::move(leaks));
    add_duplicates(Severity::warning, "query_in_gallery",
                   "are both a query and its match in the gallery, so scores would be too high.",
                   "Delete the copy in the gallery.", std::move(own_answers));
    add_duplicates(Severity::note, "duplicates", "have the same labels and count more than once.",
                   "Delete the copies if they are not intended.", std::move(harmless));
  }

  /// Whether evaluation would find a copy of this query in the gallery.
  [[nodiscard]] bool is_its_own_answer(const Sample& query, const Duplicates& group) const {
    if (query.split != Split::query) return false;
    return std::any_of(group.begin(), group.end(), [&](const Sample& other) {
      const bool left_out = report_.match.cameras_known && other.camera == query.camera;
      // Evaluation leaves out the query itself (evaluate.exclude_same_image).
      return other.split == Split::gallery && other.identity == query.identity && !left_out &&
             other.path != query.path;
    });
  }

  void add_duplicates(Severity severity, std::string code, const std::string& what, std::string remedy,
                      std::vector<std::string> groups) {
    if (groups.empty()) return;
    const auto count = static_cast<std::int64_t>(groups.size());
    add(severity, std::move(code),
        text::count_text(count, "group", "groups") + " of images with the same pixels: the images of " +
            (count == 1 ? "it " : "each ") + what,
        std::move(remedy), std::move(groups));
  }

  [[nodiscard]] static std::string describe(const Duplicates& group) {
    std::string text;
    for (const Sample& sample : group) {
      if (!text.empty()) text += " = ";
      text += sample.path;
      if (sample.identity >= 0) text += " (identity " + std::to_string(sample.identity) + ")";
    }
    return text;
  }

  void unused() {
    std::int64_t count = 0;
    std::vector<std::string> examples;
    for (const UnusedImages& part : report_.unused) {
      count += part.images;
      examples.push_back(part.images == 1
                             ? part.example
                             : part.example + " and " + std::to_string(part.images - 1) + " more in " +
                                   (part.folder.empty() ? "the folder itself" : part.folder));
    }
    if (count == 0) return;
    add(Severity::note, "unused_images",
        images(count) + " below the data set's folder " + be(count) + " not part of the data set.",
        "Nothing if that is intended. Else check the names of folders and files, and the lists.",
        std::move(examples));
  }

  void shapes() {
    std::int64_t wide = 0;
    std::int64_t small = 0;
    for (const SplitFigures& figures : report_.splits) {
      for (const auto& [size, count] : figures.sizes) {
        if (size.first > size.second) wide += count;
        if (size.second < smallest_useful_height) small += count;
      }
    }
    if (wide > 0) {
      add(Severity::note, "wide_images",
          images(wide) + " " + be(wide) + " wider than tall; Kindred expects tight crops of upright people.",
          "Crop the people with a detector first.");
    }
    if (small > 0) {
      add(Severity::note, "small_images",
          images(small) + " " + be(small) + " less than " + std::to_string(smallest_useful_height) +
              " pixels tall, too small to distinguish people.",
          "Remove them, or use larger originals.");
    }
  }

  static constexpr int smallest_useful_height = 32;

  const std::vector<Sample>& samples_;
  const DoctorReport& report_;
  bool has_distractors_;
  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> findings(const std::vector<Sample>& samples, const DoctorReport& report) {
  return Rules(samples, report).all();
}

}  // namespace kindred::command
