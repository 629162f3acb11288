// One folder of images for each person.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"
#include "kindred/text/name_numbers.h"

namespace kindred::person_folders {

/// Folders of people, whose names are the identities (NameNumbers: 0017, person_17, alice; -1 is junk):
///   train/PERSON/IMAGE, query/PERSON/IMAGE, gallery/PERSON/IMAGE   as they are split
///   train/PERSON/IMAGE, test/PERSON/IMAGE                          queries are chosen among the test images
///   PERSON/IMAGE                                                   one tree: people are split, too
/// Parts may be missing, but query and gallery come together. A person's folder may have folders for cameras.
class PersonFolders final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "train";
    std::string query = "query";
    std::string gallery = "gallery";
    std::string test = "test";
    std::string camera = "auto";  ///< "auto", "" for none, or a CameraPattern
    double test_share = 0.5;
    std::int64_t seed = 1;
  };
  static Schema<Params> schema();

  PersonFolders(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Likely when the folders of the parts hold folders with images, and when all folders are called as people
  /// are (0017, person_17) and hold images. The first ones are looked at, not all.
  [[nodiscard]] Recognition recognize() const override;

 private:
  /// The folders of the parts as they are called in `root`, in lower or upper case; "": there is none.
  struct Parts {
    std::string train, query, gallery, test;
    [[nodiscard]] bool any() const { return !(train + query + gallery + test).empty(); }
  };

  [[nodiscard]] Parts parts() const;
  void check(const Parts& parts) const;
  /// Adds the images of a folder of people, with their identities.
  /// @param part "train", or "" for the one tree
  void add_people(const std::string& part, Split split, NameNumbers& names,
                  std::vector<Sample>& samples) const;
  void give_cameras(std::vector<Sample>& samples) const;
  void split_people(std::vector<Sample>& samples) const;

  Params params_;
};

}  // namespace kindred::person_folders
