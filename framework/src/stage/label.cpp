#include "stage/label.h"

#include <torch/torch.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "data/domain_filter.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"
#include "kindred/search/row_lengths.h"
#include "ranking/label_quality.h"
#include "ranking/search_host.h"
#include "ranking/similarity.h"
#include "results/labels_file.h"
#include "text/number_text.h"

namespace kindred::stage {
namespace {

/// The rows of one of the domains. An image that is both in the query and in the gallery is taken once, as a
/// query: two rows of it would be two votes, and it could get two identities.
ranking::SearchPart part_of(const ranking::SearchInput& input, const std::vector<std::string>& domains) {
  ranking::SearchPart part;
  std::unordered_set<std::string_view> queries;
  for (std::size_t i = 0; i < input.query.size(); ++i) {
    queries.insert(input.query[i].path);
    if (data::is_of_domains(input.query[i], domains)) part.query.push_back(static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < input.gallery.size(); ++i) {
    if (queries.contains(input.gallery[i].path)) continue;
    if (data::is_of_domains(input.gallery[i], domains)) part.gallery.push_back(static_cast<std::int64_t>(i));
  }
  return part;
}

template <class T>
std::vector<T> picked(const std::vector<T>& all, const std::vector<std::int64_t>& rows) {
  std::vector<T> result;
  result.reserve(rows.size());
  for (const auto row : rows) result.push_back(all[static_cast<std::size_t>(row)]);
  return result;
}

std::optional<results::LabelFiguresFile::Sizes> sizes_of(const results::LabelsFile& labels) {
  const auto images = labels.sizes();
  if (images.empty()) return std::nullopt;
  const auto smaller = [](const auto& a, const auto& b) { return a.second < b.second; };
  return results::LabelFiguresFile::Sizes{
      std::min_element(images.begin(), images.end(), smaller)->second,
      static_cast<double>(labels.samples.size()) / static_cast<double>(images.size()),
      std::max_element(images.begin(), images.end(), smaller)->second};
}

std::optional<results::LabelFiguresFile::Truth> truth_of(const ranking::LabelQuality& quality) {
  if (quality.images == 0) return std::nullopt;
  return results::LabelFiguresFile::Truth{.images = quality.images,
                                          .labeled = quality.labeled,
                                          .persons = quality.persons,
                                          .precision = quality.precision(),
                                          .recall = quality.recall(),
                                          .f1 = quality.f1(),
                                          .purity = quality.purity()};
}

std::string figure(std::optional<double> share) {
  return share ? text::fixed_text(*share, 3) : "-";
}

std::string text_of(const results::LabelFiguresFile& figures) {
  std::string text;
  if (const auto& sizes = figures.images_per_identity) {
    text = text::grouped_digits(figures.identities) + " pseudo identities of " +
           text::grouped_digits(figures.images) + " of " + text::grouped_digits(figures.all_images) +
           " images, " + std::to_string(sizes->minimum) + " to " + text::grouped_digits(sizes->maximum) +
           " images each, " + text::fixed_text(sizes->mean, 1) + " on average\n";
  } else {
    text =
        "no pseudo identities: none of " + text::grouped_digits(figures.all_images) +
        " images was labeled; change the parameters of the labeler, or extract features with another model\n";
  }
  if (!figures.left_out.empty()) text += "images without a label:\n";
  for (const auto& part : figures.left_out) {
    text += "  " + text::grouped_digits(part.images) + "  " + part.reason + "\n";
  }
  if (figures.truth && figures.identities > 0) {
    const auto& truth = *figures.truth;
    text += "compared with the true identities: pairs with precision " + figure(truth.precision) +
            ", recall " + figure(truth.recall) + ", F1 " + figure(truth.f1) + "; purity " +
            figure(truth.purity) + "; " + text::grouped_digits(truth.persons) +
            " people on the labeled images\n";
  }
  return text;
}

}  // namespace

LabelOutcome label(const Labeler& labeler, ranking::SearchInput input,
                   const std::vector<std::string>& domains, const std::filesystem::path& folder,
                   torch::Device device, progress::ProgressSink& progress, const system::Ranks& ranks) {
  const torch::NoGradGuard no_gradients;
  // Two rows of one image would be two votes, and it could get two identities.
  file::require_unique_names(input.query, input.query_file);
  file::require_unique_names(input.gallery, input.gallery_file);
  const auto queries = static_cast<std::int64_t>(input.query.size());
  ranking::require_directions(input.descriptors.slice(0, 0, queries), input.query_file.string());
  ranking::require_directions(input.descriptors.slice(0, queries), input.gallery_file.string());

  // The side says the split: lists of other programs need not.
  auto samples = input.query;
  for (auto& sample : samples) sample.split = Split::query;
  for (const auto& sample : input.gallery) samples.emplace_back(sample).split = Split::gallery;
  data::require_domains(samples, domains, "label");
  auto part = part_of(input, domains);
  auto rows = part.query;
  for (const auto row : part.gallery) rows.push_back(queries + row);
  const bool all = rows.size() == samples.size();
  const auto persons = picked(ranking::true_persons(samples), rows);
  samples = picked(samples, rows);

  Retrieval retrieval;
  retrieval.queries = static_cast<std::int64_t>(part.query.size());
  retrieval.descriptors = std::exchange(input.descriptors, torch::Tensor()).contiguous();
  if (!all) {
    retrieval.descriptors = retrieval.descriptors.index_select(0, torch::tensor(rows, torch::kLong));
  }
  scale_to_unit_length(retrieval.descriptors);
  ranking::SearchHost host(input, std::move(part), device, progress, ranks);
  const auto labels = labeler.label(retrieval, host);

  results::LabelsFile labeled;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (labels.identities[i] == unlabeled_identity) continue;
    labeled.samples.push_back(samples[i]);
    labeled.samples.back().identity = labels.identities[i];
  }
  results::LabelFiguresFile figures;
  for (const auto& sample : labeled.samples) {
    figures.identities = std::max(figures.identities, sample.identity + 1);
  }
  figures.images = static_cast<std::int64_t>(labeled.samples.size());
  figures.all_images = static_cast<std::int64_t>(samples.size());
  for (const auto& part : labels.left_out) figures.left_out.push_back({part.reason, part.images});
  figures.images_per_identity = sizes_of(labeled);
  figures.truth = truth_of(ranking::judge_labels(labels.identities, persons));

  const LabelOutcome outcome{folder / results::LabelsFile::name, folder / results::LabelFiguresFile::name,
                             figures.identities, figures.images, text_of(figures)};
  if (!ranks.is_first()) return outcome;
  labeled.write(outcome.csv);
  figures.write(outcome.json);
  progress.note(outcome.text.substr(0, outcome.text.size() - 1));
  return outcome;
}

}  // namespace kindred::stage
