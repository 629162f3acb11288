#include "report/ranking_drawer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "recipe/settings.h"
#include "report/score_blocks.h"

namespace kindred::report {
namespace {

constexpr std::size_t shown_images = 10;

}  // namespace

std::string RankingDrawer::read(const std::vector<std::string>& queries) {
  auto piece = read_matches(files_.matches, queries);
  if (!piece.value) return piece.trouble;
  for (auto& ranking : *piece.value) {
    auto query = ranking.query;
    rankings_.emplace(std::move(query), std::move(ranking));
  }
  return piece.trouble;
}

Html RankingDrawer::draw(const std::string& query, const std::string& figures) {
  const auto ranking = rankings_.find(query);
  if (ranking == rankings_.end() || ranking->second.found.empty()) return {};
  ++drawn_;
  const auto judged = results::judge_ranking(ranking->second, run_.images, ignored(), shown_images);
  marked_ = marked_ || std::any_of(judged.images.begin(), judged.images.end(), [](const auto& image) {
              return image.verdict != results::Verdict::unknown;
            });
  std::vector<std::string> paths{picture_path(query)};
  for (const auto& image : judged.images) {
    paths.push_back(picture_path(ranking->second.found[image.found].path));
  }
  std::vector<Picture> shown;
  for (const auto& path : paths) shown.push_back(pictures_.picture(path));
  if (maps_ != nullptr) {
    auto maps = maps_->draw(paths, pictures_);
    for (std::size_t i = 0; i < shown.size(); ++i) shown[i].map = std::move(maps[i]);
  }
  return draw_ranking(ranking->second, judged, figures, run_.images, shown);
}

Html RankingDrawer::key() const {
  Html marks;
  if (marked_) {
    marks = element("span", {{"class", "key right"}}, "\u2713 right") + " " +
            element("span", {{"class", "key wrong"}}, "\u2717 wrong") + " ";
  }
  const auto what = ignored();
  std::string left_out;
  if (what.itself) left_out += "the query itself, ";
  if (what.same_camera) left_out += "images with the identity and camera of the query, ";
  if (what.clothes == recipe::ClothesMode::changed) left_out += "its identity in the same clothes, ";
  if (what.clothes == recipe::ClothesMode::same) left_out += "its identity in other clothes, ";
  left_out += left_out.empty() ? "junk" : "and junk";
  auto key = element("p", {{"class", "note"}},
                     marks + "Each image with its rank and similarity. Images that evaluation ignores (" +
                         left_out + ") are not shown and have no rank. Choose an image to enlarge it.");
  if (maps_ != nullptr) {
    key += element(
        "p", {{"class", "note"}},
        "Below each image where the model looks, from blue (little) to red (much). Query: the energy "
        "of the last feature map. Images found: what makes them similar to the query (Grad-CAM of the "
        "cosine similarity of the descriptors, without post-processing).");
  }
  return key;
}

std::string RankingDrawer::picture_path(const std::string& path) const {
  if (!path.starts_with(folder_.own)) return path;
  return folder_.of_pictures + path.substr(folder_.own.size());
}

results::IgnoredImages RankingDrawer::ignored() const {
  if (!files_.scores.value) return {};
  const auto& scores = *files_.scores.value;
  return {scores.cameras_known, scores.itself_ignored, scores.clothes};
}

std::string query_text(const results::QueryTable& queries, std::size_t place) {
  const auto matches = queries.queries[place].matches;
  if (matches == 0) return "";
  std::string text;
  for (const auto& column : queries.columns) {
    if (std::isnan(column.values[place])) continue;
    text += column.label + " " + value_text(column.kind, column.values[place]) + " · ";
  }
  return text + std::to_string(matches) + (matches == 1 ? " correct image" : " correct images") +
         " in the gallery";
}

}  // namespace kindred::report
