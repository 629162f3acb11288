#include "training/evaluation_sheet.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "ranking/ranking.h"
#include "results/judged_ranking.h"
#include "results/rank_sheet.h"

namespace kindred::training {
namespace {

constexpr std::size_t queries_shown = 6;
constexpr std::size_t images_shown = 10;
/// As many images of the query's own camera may come first.
constexpr std::int64_t images_ranked = 200;

/// Places in query.samples, ascending.
std::vector<std::size_t> judged_queries(const file::Features& query, const results::Evaluation& evaluation) {
  // Of merged queries the first one stands in the table.
  std::set<std::string> judged;
  for (const auto& one : evaluation.per_query.queries) {
    if (one.matches > 0) judged.insert(one.path);
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < query.samples.size(); ++i) {
    if (judged.count(query.samples[i].path) > 0) places.push_back(i);
  }
  return places;
}

results::SheetImage sheet_image(const Dataset& dataset, const Sample& sample) {
  results::SheetImage image;
  image.name = sample.path;
  if (sample.identity >= 0) image.known = std::to_string(sample.identity);
  if (sample.camera != unknown_camera) {
    image.known += (image.known.empty() ? "c" : " c") + std::to_string(sample.camera);
  }
  try {
    image.picture = dataset.image(sample);
  } catch (const DataError&) {
    // Bad images may be in a data set; the sheet shows which.
  }
  return image;
}

}  // namespace

cv::Mat draw_evaluation_sheet(const file::Features& query, const file::Features& gallery,
                              const results::Evaluation& evaluation, const Dataset& dataset) {
  const auto judged = judged_queries(query, evaluation);
  if (judged.empty()) return {};
  std::vector<std::int64_t> chosen;
  const auto count = std::min(judged.size(), queries_shown);
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(static_cast<std::int64_t>(judged[i * judged.size() / count]));
  }
  const auto ranking =
      ranking::rank_gallery(query.descriptors.index_select(0, torch::tensor(chosen, torch::kLong)),
                            gallery.descriptors, {.top = images_ranked});
  const results::IgnoredImages ignored{evaluation.cameras_known, evaluation.itself_ignored,
                                       evaluation.clothes};
  std::vector<results::SheetRow> rows;
  for (std::size_t row = 0; row < chosen.size(); ++row) {
    const auto& sample = query.samples[static_cast<std::size_t>(chosen[row])];
    const auto images_of_row = ranking.images[static_cast<std::int64_t>(row)];
    const auto similarities_of_row = ranking.similarities[static_cast<std::int64_t>(row)];
    const auto* images = images_of_row.data_ptr<std::int64_t>();
    const auto* similarities = similarities_of_row.data_ptr<float>();
    results::KnownImages known{{sample.path, sample}};
    results::QueryMatches matches{sample.path, sample.identity, {}};
    for (std::int64_t i = 0; i < ranking.images.size(1); ++i) {
      const auto& found = gallery.samples[static_cast<std::size_t>(images[i])];
      known.emplace(found.path, found);
      matches.found.push_back({found.path, similarities[i], found.identity});
    }
    results::SheetRow shown;
    shown.query = sheet_image(dataset, sample);
    for (const auto& [place, verdict] : judge_ranking(matches, known, ignored, images_shown).images) {
      auto image = sheet_image(dataset, gallery.samples[static_cast<std::size_t>(images[place])]);
      image.similarity = similarities[place];
      image.verdict = verdict;
      shown.found.push_back(std::move(image));
    }
    rows.push_back(std::move(shown));
  }
  return results::draw_rank_sheet(rows);
}

}  // namespace kindred::training
