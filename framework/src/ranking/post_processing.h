// From descriptors of queries and gallery to their distances, through a recipe's post-processors.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/search/retrieval.h"
#include "progress/progress.h"
#include "ranking/same_images.h"
#include "recipe/plan.h"
#include "system/ranks.h"

namespace kindred::ranking {

/// Queries and gallery on disk, read into one tensor.
struct SearchInput {
  torch::Tensor descriptors;  ///< [Q + G, D], 32-bit floats on the CPU, the queries first
  std::vector<Sample> query;
  std::vector<Sample> gallery;
  std::filesystem::path query_file;  ///< for messages
  std::filesystem::path gallery_file;
  SameImages same_images{};  ///< by the descriptors as they were read
  /// The images that queries were merged from (multi_query.h); empty: each query is an image.
  std::vector<Sample> merged_from{};
};

/// Reads both (feature_files.h), and warns when the descriptors of one side are nearly equal. Throws
/// DataError as read_features() does, when the widths differ, and when others took their place meanwhile, of
/// which each may be read with one of these.
[[nodiscard]] SearchInput read_search_input(const std::filesystem::path& query_file,
                                            const std::filesystem::path& gallery_file,
                                            progress::ProgressSink& progress,
                                            const system::Ranks& ranks = system::Ranks::alone());

/// The features in a folder whose images are looked at together: query.npy and gallery.npy, or the one of
/// them that there is, as of a data set without queries; the other side has no images then. Throws DataError
/// as read_search_input() does, and when there is neither; warns as that does.
[[nodiscard]] SearchInput read_folder_input(const std::filesystem::path& folder,
                                            progress::ProgressSink& progress,
                                            const system::Ranks& ranks = system::Ranks::alone());

/// Makes the post-processors of a plan and checks their order: those that change descriptors, then at most
/// one that makes distances, then those that change distances. Throws RecipeError at the one that stands in
/// the wrong place.
[[nodiscard]] std::vector<std::unique_ptr<PostProcessor>> create_post_processors(
    const recipe::RankingPlan& plan);

/// The distances that the plan's post-processors make of the descriptors; the cosine distance without any.
/// With [ranking] by_domain each domain's queries and gallery images are post-processed by themselves, and
/// gallery images of other domains follow behind those of the query's own, by their cosine distance.
///
/// Takes the input's descriptors over; `input` and `progress` must outlive the result. At most one more copy
/// of the descriptors is held, none without by_domain.
/// Throws DataError for descriptors without a direction, naming the row, and for those that a post-processor
/// has made not finite; RecipeError for a domain that no image is of.
/// @param ranks each of which calls this with the same search. What they search for neighbors is divided
///              among them (RetrievalHost::nearest_rows()); each has all descriptors, and distances of any
///              queries, which are computed by it alone
[[nodiscard]] DistanceBlock post_process(const recipe::RankingPlan& plan, SearchInput& input,
                                         torch::Device device, progress::ProgressSink& progress,
                                         const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::ranking
