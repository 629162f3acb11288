// Data sets with a folder for each split, whose files are named for what they show.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"
#include "kindred/core/schema.h"
#include "kindred/image/split_folders.h"
#include "kindred/role/dataset.h"

namespace kindred {

/// What the name of a file says.
struct KINDRED_API NameFacts {
  std::int64_t identity = unlabeled_identity;
  std::int64_t camera = unknown_camera;
  std::int64_t clothes = unknown_clothes;
};

/// How the files of a data set are named.
struct KINDRED_API NameForm {
  std::optional<NameFacts> (*parse)(std::string_view name);  ///< nothing for a name of another form
  std::string text;  ///< for messages: "IIII_cC... (identity, camera), such as 0002_c1s1_000451_03.jpg"
  bool known_by_folders = false;  ///< no other data set has folders of these names
};

/// Declares root, train, query and gallery of such a data set, whose Params have these members.
template <class Params>
void add_split_folders(Schema<Params>& schema) {
  const Params defaults;
  schema
      .add("root", &Params::root,
           "folder with " + defaults.train + ", " + defaults.query + " and " + defaults.gallery +
               "; relative to the working directory")
      .required()
      .location();
  const std::string allowed = "the name of a folder in root";
  schema.add("train", &Params::train, "folder of the training images, relative to root")
      .like(is_inner_path, allowed);
  schema.add("query", &Params::query, "folder of the queries, relative to root").like(is_inner_path, allowed);
  schema.add("gallery", &Params::gallery, "folder of the gallery, relative to root")
      .like(is_inner_path, allowed);
}

/// Such a data set. Training alone is enough, and so are query and gallery alone.
class KINDRED_API NamedImages : public Dataset {
 public:
  ~NamedImages() override;

  /// Throws DataError as SplitFolders::images() does, and for a file of another name.
  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when all three folders are there, likely when only those of training or of testing are; no when
  /// the first image has another name, unless all three folders are there and tell enough.
  [[nodiscard]] Recognition recognize() const override;

 protected:
  NamedImages(std::filesystem::path root, SplitFolders folders, NameForm form);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  /// Those that belong to the data set: all in the folders unless overridden.
  [[nodiscard]] virtual std::vector<SplitFolders::Image> images() const;

 private:
  std::filesystem::path root_;
  SplitFolders folders_;
  NameForm form_;
};

}  // namespace kindred
