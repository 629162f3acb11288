// Command "search": pictures of people -> the most similar images of a gallery, with a trained model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/extract.h"
#include "kindred/search.h"
#include "progress/progress.h"

namespace kindred::command {

struct SearchRequest {
  std::filesystem::path model;                ///< model file
  std::filesystem::path gallery;              ///< a gallery, features, a run with features, or images
  std::vector<std::filesystem::path> images;  ///< of the people who are looked for
  SearchOptions options;
  std::filesystem::path keep;  ///< folder for a new gallery of images whose features were extracted; "": none
  std::filesystem::path data;  ///< where the images of features lie; "": unknown
  std::filesystem::path sheet;         ///< .png or .jpg file for the pictures; "": none
  std::string index;                   ///< a component of the role index; "": exact search
  std::vector<std::string> overrides;  ///< of the model's recipe; of the table [index] those of the index
  std::vector<std::filesystem::path> plugin_folders;  ///< where the index is looked for
};

struct SearchResult {
  std::vector<std::vector<Match>> matches;  ///< of each image
  std::int64_t images = 0;                  ///< in the gallery
  std::optional<IndexReport> index;
};

/// Opens what holds the people that are looked among: a gallery (read only), features of `kindred embed` or
/// of a run, or images, whose features are extracted. Its notes are shown. Throws DataError where it is none
/// of them or holds descriptors of another size than the model's, and as those do.
/// @param keep of images: folder for a new gallery of them; "": in memory alone
[[nodiscard]] Gallery open_gallery(const std::filesystem::path& path, const std::filesystem::path& keep,
                                   application::ExtractorParts& extractor, const Catalog& catalog,
                                   progress::ProgressSink& progress);

/// Throws DataError for a model, gallery or image that cannot be used, RecipeError for an override, and for a
/// sheet of another format, that would be too high, or that would replace a picture.
[[nodiscard]] SearchResult search(const SearchRequest& request, const Catalog& catalog,
                                  progress::ProgressSink& progress);

/// "[{"image": ..., "matches": [{"rank": 1, "id": ..., "similarity": ..., "camera": ..., "time": ...,
/// "label":
/// ..., "image": ...}]}]"; what is not known is null.
[[nodiscard]] std::string search_json(const SearchRequest& request, const SearchResult& result);

/// What an index misses and gains, in a line, which search_text() ends with.
[[nodiscard]] std::string index_text(const SearchRequest& request, const IndexReport& index);

/// For people: a table for each image.
[[nodiscard]] std::string search_text(const SearchRequest& request, const SearchResult& result);

}  // namespace kindred::command
