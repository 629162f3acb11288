#include "report/score_blocks.h"

#include <cmath>
#include <vector>

#include "text/number_text.h"

namespace kindred::report {
namespace {

/// Whether not even a digit is shown of a change's size.
bool is_shown_as_zero(const std::string& size) {
  return size.find_first_not_of("0.") == std::string::npos;
}

/// So that nothing is said of what the digits do not show.
bool is_loss(const FigureInfo& figure, double before, double after) {
  return (figure.higher_is_better ? after < before : after > before) &&
         cell_text(figure.kind, before) != cell_text(figure.kind, after) &&
         !is_shown_as_zero(cell_text(figure.kind, std::abs(after - before)));
}

}  // namespace

std::string value_text(FigureKind kind, double value) {
  return kind == FigureKind::share ? text::percent_text(value) : text::number_text(value);
}

std::string cell_text(FigureKind kind, double value) {
  if (std::isnan(value)) return "";
  return kind == FigureKind::share ? text::fixed_text(100 * value, 2) : text::number_text(value);
}

Html change_cell(const FigureInfo& figure, double before, double after) {
  if (std::isnan(before) || std::isnan(after)) return {};
  const auto size = cell_text(figure.kind, std::abs(after - before));
  if (is_shown_as_zero(size)) return size;
  const auto change = (after >= before ? "+" : "\u2212") + size;
  if (!is_loss(figure, before, after)) return change;
  return element("span", {{"class", "loss"}}, "\u25bc " + change);
}

std::string losses_text(const results::Evaluation& before, const results::Evaluation& after) {
  std::vector<std::string> losses;
  for (const auto& figure : results::figures_of({&before, &after}, Prominence::listed)) {
    const double from = before.value(figure.name);
    const double to = after.value(figure.name);
    if (std::isnan(from) || std::isnan(to) || !is_loss(figure, from, to)) continue;
    losses.push_back(figure.label + " by " + cell_text(figure.kind, std::abs(to - from)) +
                     (figure.kind == FigureKind::share ? " points" : ""));
  }
  std::string text;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == losses.size() ? " and " : ", ") + losses[i];
  }
  return text;
}

Html other_rankings_notice(const results::Evaluation& scores) {
  Html notices;
  if (scores.multi_query) {
    notices += notice(
        "The scores are of merged queries (same identity, camera and clothes); the rankings are only of the "
        "first image of each.");
  }
  if (scores.single_gallery_shot > 0) {
    notices += notice(
        "The scores are means over galleries with one image of each identity; the rankings are of the whole "
        "gallery, so their ranks are not those of the scores.");
  }
  return notices;
}

std::string basis_text(const results::Evaluation& scores) {
  return text::count_text(scores.valid_queries) + " of " + text::count_text(scores.queries) + " queries in " +
         text::count_text(scores.gallery) + " gallery images (" + text::count_text(scores.distractors) +
         " distractors, " + text::count_text(scores.junk) + " junk ignored), " +
         (scores.cameras_known ? "across cameras: images of the query's identity from its camera are ignored"
                               : "single-camera mode: images of the query's identity from its camera count") +
         (scores.multi_query ? "; queries of one identity, camera and clothes are merged" : "") +
         (scores.note.empty() ? "" : "; " + scores.note);
}

}  // namespace kindred::report
