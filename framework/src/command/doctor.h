// What a data set holds, what is wrong with it, and what that means for training and evaluation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "progress/progress.h"

namespace kindred::command {

/// The least, the middle and the greatest of some numbers; of an even count the lower middle.
struct Quantiles {
  std::int64_t minimum = 0;
  std::int64_t median = 0;
  std::int64_t maximum = 0;
};

/// Images of one split.
struct SplitFigures {
  Split split = Split::train;
  std::int64_t images = 0;
  std::int64_t identities = 0;  ///< different labels; junk and unlabeled images have none
  std::int64_t junk = 0;        ///< images
  std::int64_t unlabeled = 0;   ///< images
  std::int64_t tracklets = 0;
  std::int64_t single_frame_tracklets = 0;
  Quantiles frames_per_tracklet;           ///< zeros without tracklets
  std::int64_t one_camera_identities = 0;  ///< identities of whose images all come from one known camera
  Quantiles images_per_identity;           ///< zeros without identities
  /// How many identities have 1, 2-3, 4-7, 8-15, ... images: each bucket's lowest number, and the identities.
  std::vector<std::pair<std::int64_t, std::int64_t>> histogram;
  std::map<std::int64_t, std::int64_t> cameras;  ///< camera -> images; unknown_camera is a key like others
  std::map<std::string, std::int64_t> domains;   ///< domain -> images
  /// (width, height) -> images, of those that could be read; empty when images were not decoded.
  std::map<std::pair<int, int>, std::int64_t> sizes;
};

/// What evaluation will find in the gallery, as evaluate() in evaluation.h counts; a tracklet counts once.
struct MatchFigures {
  std::int64_t queries = 0;
  std::int64_t labeled = 0;           ///< queries with an identity; the figures below are of these
  std::int64_t identity_missing = 0;  ///< no gallery image of the query's identity but the query itself
  std::int64_t same_camera_only = 0;  ///< gallery images of the identity, but all of the query's camera
  std::int64_t matched = 0;           ///< queries that count for the scores
  bool cameras_known = false;         ///< gallery images of the query's identity and camera are left out
  std::int64_t distractors = 0;       ///< gallery images of no query: other people, or unlabeled
};

struct UnreadableImage {
  std::string path;
  std::string reason;
};

/// Images below the data set's folder that are not part of it.
struct UnusedImages {
  std::string folder;  ///< the first folder of their paths, or "" for those in the data set's folder itself
  std::int64_t images = 0;
  std::string example;  ///< the path of the first
};

/// Images with the same pixels: at least two, of which a query that is in the gallery, too, is one.
using Duplicates = std::vector<Sample>;

enum class Severity { note, warning, error };

/// Something a user should know, and what to do.
struct Finding {
  Severity severity = Severity::note;
  std::string code;     ///< a fixed name for programs, such as "no_cross_camera_match"
  std::string message;  ///< what was found and what follows from it
  std::string remedy;
  std::vector<std::string> examples;  ///< paths, or identities; all of them
};

struct DoctorReport {
  bool decoded = false;              ///< images were looked at, not only what is said of them
  std::vector<SplitFigures> splits;  ///< those that have images, in the order train, query, gallery
  MatchFigures match;
  std::vector<UnreadableImage> unreadable;
  std::vector<Duplicates> duplicates;  ///< ordered by the first path of each
  std::vector<UnusedImages> unused;    ///< ordered by folder
  std::vector<Finding> findings;       ///< errors first
};

/// Looks at a data set. Bad images are findings, not errors.
/// @param decode_all also reads every image, with all processors: for sizes, unreadable files, duplicates
/// @param sink hears of the images read; may be nullptr
/// @param root where the data set lies, a folder or a list in it, to look for images that are not part of it;
/// "": nowhere
/// Throws DataError when the samples cannot be listed.
[[nodiscard]] DoctorReport examine(const Dataset& dataset, bool decode_all,
                                   progress::ProgressSink* sink = nullptr,
                                   const std::filesystem::path& root = {});

/// Whether no finding is an error.
[[nodiscard]] bool is_usable(const DoctorReport& report);

/// The report for a person, 110 columns wide at most where names allow, ending in '\n'.
[[nodiscard]] std::string doctor_text(const DoctorReport& report);
/// The report for programs: everything in it, as a JSON object.
[[nodiscard]] std::string doctor_json(const DoctorReport& report);

}  // namespace kindred::command
