#include "report/ranking_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "text/number_text.h"

namespace kindred::report {
namespace {

using text::element;
using text::Html;

using results::KnownImages;
using results::Verdict;

/// "identity 101, camera 2"
std::string facts_text(const KnownImages& images, const std::string& path,
                       std::optional<std::int64_t> otherwise) {
  std::string text;
  if (const auto identity = results::identity_of(images, path, otherwise)) {
    text = "identity " + std::to_string(*identity);
  }
  if (const auto image = images.find(path); image != images.end() && image->second.camera != unknown_camera) {
    text += (text.empty() ? "camera " : ", camera ") + std::to_string(image->second.camera);
  }
  return text;
}

const char* verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::right:
      return "right";
    case Verdict::wrong:
      return "wrong";
    case Verdict::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

ChosenQueries choose_queries(const std::vector<double>& values, const SheetSize& size) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const std::size_t worst = std::min(size.worst, order.size());
  const std::size_t best = std::min(size.best, order.size() - worst);
  const std::size_t middle = std::min(size.middle, order.size() - worst - best);
  const std::size_t wanted_first = order.size() / 2 - std::min(order.size() / 2, middle / 2);
  const std::size_t first = std::clamp(wanted_first, worst, order.size() - best - middle);
  const auto part = [&](std::size_t from, std::size_t count) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(from);
    return std::vector<std::size_t>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  ChosenQueries chosen{part(0, worst), part(first, middle), part(order.size() - best, best)};
  std::reverse(chosen.best.begin(), chosen.best.end());
  return chosen;
}

std::vector<std::size_t> spread(std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> places(std::min(count, wanted));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i * count / places.size();
  return places;
}

Html draw_ranking(const results::QueryMatches& ranking, const results::JudgedRanking& verdicts,
                  const std::string& figures, const KnownImages& images,
                  const std::vector<Picture>& pictures) {
  auto facts = facts_text(images, ranking.query, ranking.identity);
  if (!figures.empty()) facts += (facts.empty() ? "" : " · ") + figures;
  if (verdicts.left_out > 0) {
    facts += (facts.empty() ? "" : " · ") +
             text::count_text(static_cast<std::int64_t>(verdicts.left_out), "image", "images") + " ignored";
  }
  const auto query =
      element("div", {{"class", "query"}},
              draw(pictures.front(), ranking.query, "query " + ranking.query) + element("span", "query"));
  Html results;
  std::size_t rank = 0;
  for (const auto& image : verdicts.images) {
    const auto& found = ranking.found[image.found];
    const auto verdict = std::string(verdict_text(image.verdict));
    auto description = "rank " + std::to_string(++rank) + ": " + found.path;
    if (const auto known = facts_text(images, found.path, found.identity); !known.empty()) {
      description += ", " + known;
    }
    if (image.verdict != Verdict::unknown) description += ", " + verdict;
    auto content = draw(pictures[rank], found.path, description);
    if (image.verdict != Verdict::unknown) {
      content += element("span", {{"class", "mark"}, {"aria-hidden", "true"}},
                         image.verdict == Verdict::right ? "\u2713" : "\u2717");
    }
    content += element("span", {{"class", "rank"}},
                       std::to_string(rank) + " · " + text::fixed_text(found.similarity, 2));
    results += element("li", {{"class", verdict}, {"title", description}}, content);
  }
  return element("figure", {{"class", "ranking"}},
                 element("figcaption", element("strong", ranking.query) + " " + element("span", facts)) +
                     query + element("ol", results));
}

}  // namespace kindred::report
