// A data set whose training split is divided into folds of identities, one of which is validated.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/role/dataset.h"
#include "recipe/settings.h"

namespace kindred::data {

/// The training split of a data set, without its own queries and gallery: the images of one fold's identities
/// become query and gallery, the others stay training images. Images without an identity stay too.
///
/// The deal: identities in the order of their number of images, most first (equal ones shuffled), are dealt
/// in rounds, in each of which every fold gets one, the fold with the fewest images the largest. So the folds
/// differ by one identity at most, and in images by no more than the largest identity has. It depends on the
/// samples and on [folds] alone, not on the order of the samples.
///
/// Queries: where the fold's images all have cameras, and not all the same one, one image of each identity
/// and camera, drawn at random, as in Market-1501 (Zheng et al., ICCV 2015); else one image of each identity.
/// Each query has a right image in the gallery, under another camera where these are known: an identity that
/// only one camera shows gives no query, and where fewer than two cameras would keep an image in the gallery,
/// the camera with the most images gives none. All other images of the fold are the gallery, and so are those
/// of the distractors' data set, whatever split but `train` they are in, without identity and camera and
/// without junk.
class FoldDataset final : public Dataset {
 public:
  /// @param distractors nullptr: none
  /// @param place of [folds], for errors
  /// Throws RecipeError when there are fewer identities than folds, when no identity of the fold gives a
  /// query, or when `distractors` has no image, and what the data sets throw.
  FoldDataset(std::unique_ptr<Dataset> whole, const recipe::FoldsSettings& folds,
              const SourceLocation& location, std::unique_ptr<Dataset> distractors = nullptr);

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

 private:
  struct Source {
    const Dataset* dataset;
    Sample sample;  ///< as that data set calls it
  };
  void add(Sample sample, const Dataset& from, Sample there, const SourceLocation& location);

  std::unique_ptr<Dataset> whole_;
  std::unique_ptr<Dataset> distractors_;
  std::vector<Sample> samples_;
  std::unordered_map<std::string, Source> sources_;  // by path
};

}  // namespace kindred::data
