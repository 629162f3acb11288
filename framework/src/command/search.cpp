#include "command/search.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>
#include <opencv2/imgproc.hpp>
#include <system_error>
#include <utility>

#include "api/image/pixel_limit_scope.h"
#include "application/extractor_parts.h"
#include "application/gallery_folder.h"
#include "application/rows.h"
#include "command/features_folder.h"
#include "command/machine.h"
#include "command/named_component.h"
#include "command/search_sheet.h"
#include "data/open_choice.h"
#include "data/open_folder.h"
#include "file/atomic_file.h"
#include "file/command_inputs.h"
#include "file/feature_files.h"
#include "file/folder_entries.h"
#include "file/presence.h"
#include "file/read_error.h"
#include "kindred/core/error.h"
#include "kindred/core/sample.h"
#include "kindred/image/image.h"
#include "model/model.h"
#include "results/sheet_drawing.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::command {
namespace {

namespace fs = std::filesystem;

/// The images that are looked among: the gallery of a data set that has one, else all of them.
std::vector<Sample> gallery_of(const Dataset& dataset) {
  auto samples = dataset.samples();
  const auto in_gallery = [](const Sample& sample) { return sample.split == Split::gallery; };
  if (std::any_of(samples.begin(), samples.end(), in_gallery)) {
    std::erase_if(samples, [&](const Sample& sample) { return !in_gallery(sample); });
  }
  return samples;
}

void tell_of_unknown_cameras(const std::vector<std::int64_t>& asked, const std::vector<std::int64_t>& known,
                             progress::ProgressSink& progress) {
  std::string numbers;
  for (const auto camera : known) numbers += (numbers.empty() ? "" : ", ") + std::to_string(camera);
  for (const auto camera : asked) {
    if (std::find(known.begin(), known.end(), camera) != known.end()) continue;
    progress.note("warning: no image of the gallery is known to be of camera " + std::to_string(camera) +
                  (known.empty() ? "; of none is the camera known" : "; there are " + numbers));
  }
}

/// Where an image of the data set at `root` lies; "" when it is no file there. Throws ReadError when the
/// system does not say.
std::string image_file(const fs::path& root, const std::string& path) {
  const auto file = data::folder_of_paths(root) / path;
  std::error_code error;
  const auto status = fs::status(file, error);
  const bool no_name = error == std::errc::filename_too_long;  // an id may be any text
  if (status.type() == fs::file_type::none && !no_name) {
    throw file::ReadError(file, "cannot be read: " + error.message());
  }
  return fs::is_regular_file(status) ? fs::absolute(file).lexically_normal().string() : std::string();
}

EntryInfo info_of(const Sample& sample, const fs::path& root) {
  EntryInfo info;
  info.camera = sample.camera;
  if (sample.identity >= 0) info.label = std::to_string(sample.identity);
  info.image = image_file(root, sample.path);
  return info;
}

Gallery gallery_of_images(const fs::path& path, const fs::path& keep, application::ExtractorParts& extractor,
                          const Catalog& catalog, progress::ProgressSink& progress) {
  const auto opened = data::open_folder(path, catalog);
  if (!opened.remark.empty()) progress.note(opened.remark);
  // Refused before anything is computed, and made when all is there.
  if (!keep.empty()) application::require_new_gallery(keep);
  Gallery gallery(static_cast<int>(extractor.dim()), extractor.model_id());
  const auto features =
      extractor.extract_features(*opened.dataset, gallery_of(*opened.dataset), "gallery", progress);
  std::vector<std::string> ids;
  std::vector<EntryInfo> infos;
  for (const auto& sample : features.samples) {
    ids.push_back(sample.path);
    infos.push_back(info_of(sample, path));
  }
  gallery.add(ids, application::matrix_of(features.descriptors), infos);
  if (!keep.empty()) gallery.save(keep);
  return gallery;
}

void require_no_keep(const fs::path& keep, const fs::path& gallery) {
  if (keep.empty()) return;
  throw RecipeError({"--keep " + keep.string(), 0, 0},
                    "the features of " + gallery.string() +
                        " are on disk already; leave it out, or give a folder of images with --gallery");
}

/// Features without their pictures say by path which those are.
void find_pictures(std::vector<Match>& matches, const fs::path& data) {
  if (data.empty()) return;
  for (auto& match : matches) {
    if (match.info.image.empty()) match.info.image = image_file(data, match.id);
  }
}

nlohmann::ordered_json json_of(const Match& match, std::size_t rank) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
  };
  nlohmann::ordered_json json = {{"rank", rank}, {"id", match.id}, {"similarity", match.similarity}};
  json["camera"] =
      match.info.camera < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(match.info.camera);
  json["time"] = match.info.time ? nlohmann::ordered_json(*match.info.time) : nlohmann::ordered_json();
  json["label"] = or_null(match.info.label);
  json["image"] = or_null(match.info.image);
  return json;
}

/// Throws DataError for a model that uses the camera or the view of a picture, which nobody says of those
/// that are searched with: before the features of a gallery are extracted.
void require_no_origins(const model::Model& model, const std::vector<fs::path>& images) {
  std::vector<Sample> pictures(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) pictures[i].path = images[i].string();
  try {
    model.require_known(pictures);
  } catch (const DataError& error) {
    throw data::with_addition(
        error, ", as in --set backbone.unknown_camera=none: `kindred search` is not told them");
  }
}

/// Throws RecipeError when the sheet, a picture, would replace one that is searched with.
void require_pictures_kept(const SearchRequest& request) {
  file::CommandInputs pictures;
  for (const auto& image : request.images) pictures.add(image);
  pictures.require_kept("--sheet", request.sheet);
}

/// The same for those in the gallery, where it or `data` says where they lie.
void require_pictures_kept(const SearchRequest& request, const Gallery& gallery) {
  if (request.sheet.empty() || !file::is_there(request.sheet)) return;
  const auto name = request.sheet.filename().string();
  file::CommandInputs pictures;
  for (const auto& id : gallery.ids()) {
    const auto image = gallery.info(id).image;
    if (image.ends_with(name)) pictures.add(image);
    if (!request.data.empty() && id.ends_with(name)) pictures.add(image_file(request.data, id));
  }
  pictures.require_kept("--sheet", request.sheet);
}

Gallery gallery_at(const fs::path& path, const fs::path& keep, application::ExtractorParts& extractor,
                   const Catalog& catalog, progress::ProgressSink& progress) {
  std::error_code error;
  GalleryOptions options;
  options.read_only = true;
  options.model = extractor.model_id();
  const auto opened = [&](const fs::path& from) {
    require_no_keep(keep, path);
    return Gallery::open(from, options);
  };
  if (Gallery::exists(path) || file::has_features(path / "gallery.npy")) return opened(path);
  if (fs::is_regular_file(path, error) && path.extension() == ".npy") return opened(path);
  // The folder of a run, whose features lie in that of a stage.
  bool of_a_run = false;
  for (const auto& entry : file::folder_entries(path)) {
    if (file::is_unfinished_file(entry)) continue;
    of_a_run = of_a_run || file::has_features(entry / "gallery.npy");
  }
  if (of_a_run) return opened(features_folder(path));
  return gallery_of_images(path, keep, extractor, catalog, progress);
}

}  // namespace

Gallery open_gallery(const fs::path& path, const fs::path& keep, application::ExtractorParts& extractor,
                     const Catalog& catalog, progress::ProgressSink& progress) {
  auto gallery = gallery_at(path, keep, extractor, catalog, progress);
  for (const auto& note : gallery.notes()) progress.note(note);
  if (gallery.dim() != extractor.dim()) {
    throw DataError(path, "holds descriptors of " + std::to_string(gallery.dim()) +
                              " numbers, but those of the model have " + std::to_string(extractor.dim()) +
                              "; extract both with the same model");
  }
  return gallery;
}

SearchResult search(const SearchRequest& request, const Catalog& catalog, progress::ProgressSink& progress) {
  if (request.images.empty()) throw Error("--image: error: no image is given; name one or more");
  if (!request.sheet.empty() && !results::is_sheet_name(request.sheet)) {
    throw RecipeError({"--sheet " + request.sheet.string(), 0, 0},
                      "the name must end in .png or .jpg, which says the format of the pictures");
  }
  std::vector<cv::Mat> images;
  std::vector<cv::Mat> crops;
  for (const auto& file : request.images) {
    images.push_back(read_image(file));
    cv::cvtColor(images.back(), crops.emplace_back(), cv::COLOR_RGB2BGR);
  }
  require_pictures_kept(request);
  auto overrides = request.overrides;
  const auto of_index = take_overrides(overrides, "index");
  if (request.index.empty() && !of_index.empty()) {
    throw RecipeError({"--set " + of_index.front(), 0, 0}, "there is no index; name one with --index");
  }
  ExtractorOptions options;
  options.model = request.model;
  options.device = "recipe";
  options.overrides = std::move(overrides);
  const std::shared_ptr<const Catalog> borrowed(std::shared_ptr<const Catalog>(), &catalog);
  application::ExtractorParts extractor(options, borrowed, {});
  for (const auto& note : extractor.notes()) progress.note(note);
  require_no_origins(extractor.model(), request.images);
  prepare_machine(extractor.machine(), progress);

  auto gallery = open_gallery(request.gallery, request.keep, extractor, catalog, progress);
  require_pictures_kept(request, gallery);
  SearchResult result;
  result.images = gallery.size();
  if (!request.index.empty()) {
    IndexOptions index{request.index, {}, request.plugin_folders};
    for (const auto& text : of_index) index.parameters.push_back(text.substr(std::string("index.").size()));
    result.index = gallery.build_index(index);
  }
  tell_of_unknown_cameras(request.options.cameras, gallery.cameras(), progress);
  result.matches = gallery.search(extractor.extract(crops, {}), request.options);
  for (auto& matches : result.matches) find_pictures(matches, request.data);
  if (!request.sheet.empty()) {
    const PixelLimitScope limit(extractor.max_pixels());
    draw_search_sheet(request.sheet, images, result.matches, progress);
  }
  return result;
}

std::string search_json(const SearchRequest& request, const SearchResult& result) {
  auto json = nlohmann::ordered_json::array();
  for (std::size_t q = 0; q < result.matches.size(); ++q) {
    auto matches = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < result.matches[q].size(); ++i)
      matches.push_back(json_of(result.matches[q][i], i + 1));
    json.push_back({{"image", request.images[q].string()}, {"matches", std::move(matches)}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string index_text(const SearchRequest& request, const IndexReport& index) {
  const auto built = "index " + request.index + ": built in " + text::fixed_text(index.seconds, 1) + " s; ";
  if (index.queries == 0) return built + "what it misses cannot be measured with less than two images";
  return built + "of " + text::count_text(index.queries, "image", "images") +
         " of the gallery it finds the most similar one for " + text::percent_text(index.recall_at_1) +
         ", and " + text::percent_text(index.recall_at_10) + " of the ten most similar ones; " +
         text::number_text(index.indexed_ms) + " ms a query, exact search " +
         text::number_text(index.exact_ms) + " ms";
}

std::string search_text(const SearchRequest& request, const SearchResult& result) {
  std::string text;
  for (std::size_t q = 0; q < result.matches.size(); ++q) {
    text::TextTable table;
    table.heads = {"RANK", "SIMILARITY", "CAMERA", "LABEL", "ID"};
    table.widths = {6, 10, 8, 16};
    for (const auto& match : result.matches[q]) {
      table.rows.push_back({std::to_string(table.rows.size() + 1), text::fixed_text(match.similarity, 4),
                            match.info.camera < 0 ? "" : std::to_string(match.info.camera), match.info.label,
                            match.id});
    }
    text += (q == 0 ? "" : "\n") + request.images[q].string() + ": " +
            text::count_text(static_cast<std::int64_t>(table.rows.size()), "match", "matches") + " of " +
            text::count_text(result.images, "image", "images") + "\n";
    if (!table.rows.empty()) text += table.str();
  }
  if (result.index) text += "\n" + index_text(request, *result.index) + "\n";
  return text;
}

}  // namespace kindred::command
