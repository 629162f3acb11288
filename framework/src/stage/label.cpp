#include "stage/label.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "data/domain_filter.h"
#include "file/atomic_file.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"
#include "kindred/search/row_lengths.h"
#include "ranking/label_quality.h"
#include "ranking/search_host.h"
#include "ranking/similarity.h"
#include "text/text_table.h"

namespace kindred::stage {
namespace {

/// The places of the samples that are of one of the domains.
std::vector<std::int64_t> rows_of(const std::vector<Sample>& samples,
                                  const std::vector<std::string>& domains) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (data::is_of_domains(samples[i], domains)) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

template <class T>
std::vector<T> picked(const std::vector<T>& all, const std::vector<std::int64_t>& rows) {
  std::vector<T> result;
  result.reserve(rows.size());
  for (const auto row : rows) result.push_back(all[static_cast<std::size_t>(row)]);
  return result;
}

/// What a labeler has promised.
void require_sound(const PseudoLabels& labels, std::size_t images) {
  std::int64_t next = 0;
  std::int64_t without = 0;
  for (const auto identity : labels.identities) {
    if (identity == unlabelled_identity) {
      ++without;
    } else if (identity == next) {
      ++next;
    } else if (identity < 0 || identity > next) {
      throw std::logic_error("a labeler must number identities from 0 in the order of their first rows");
    }
  }
  std::int64_t told = 0;
  for (const auto& part : labels.left_out) told += part.images;
  if (labels.identities.size() != images || told != without) {
    throw std::logic_error("a labeler must give every image an identity or a reason why it has none");
  }
}

struct Sizes {
  std::int64_t minimum = 0;
  double mean = 0;
  std::int64_t maximum = 0;
};

/// Of the identities; zeros without any.
Sizes sizes_of(const std::vector<Sample>& labelled) {
  std::map<std::int64_t, std::int64_t> images;
  for (const auto& sample : labelled) ++images[sample.identity];
  if (images.empty()) return {};
  const auto smaller = [](const auto& a, const auto& b) { return a.second < b.second; };
  return {std::min_element(images.begin(), images.end(), smaller)->second,
          static_cast<double>(labelled.size()) / static_cast<double>(images.size()),
          std::max_element(images.begin(), images.end(), smaller)->second};
}

std::string fixed(double number, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string figure(std::optional<double> share) {
  return share ? fixed(*share, 3) : "-";
}

std::string text_of(const LabelOutcome& outcome, std::int64_t all, const PseudoLabels& labels,
                    const Sizes& sizes, const ranking::LabelQuality& quality) {
  std::string text;
  if (outcome.identities == 0) {
    text =
        "no pseudo identities: none of " + text::grouped_digits(all) +
        " images was labeled; change the parameters of the labeler, or extract features with another model\n";
  } else {
    text = text::grouped_digits(outcome.identities) + " pseudo identities of " +
           text::grouped_digits(outcome.images) + " of " + text::grouped_digits(all) + " images, " +
           std::to_string(sizes.minimum) + " to " + text::grouped_digits(sizes.maximum) + " images each, " +
           fixed(sizes.mean, 1) + " on average\n";
  }
  if (!labels.left_out.empty()) text += "images without a label:\n";
  for (const auto& part : labels.left_out) {
    text += "  " + text::grouped_digits(part.images) + "  " + part.reason + "\n";
  }
  if (quality.images > 0 && outcome.identities > 0) {
    text += "compared with the true identities: pairs with precision " + figure(quality.precision()) +
            ", recall " + figure(quality.recall()) + ", F1 " + figure(quality.f1()) + "; purity " +
            figure(quality.purity()) + "; " + text::grouped_digits(quality.persons) +
            " people on the labeled images\n";
  }
  return text;
}

nlohmann::ordered_json number_or_null(std::optional<double> number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json json_of(const LabelOutcome& outcome, std::int64_t all, const PseudoLabels& labels,
                               const Sizes& sizes, const ranking::LabelQuality& quality) {
  nlohmann::ordered_json json;
  json["identities"] = outcome.identities;
  json["images"] = outcome.images;
  json["all_images"] = all;
  json["left_out"] = nlohmann::ordered_json::array();
  for (const auto& part : labels.left_out) {
    json["left_out"].push_back({{"reason", part.reason}, {"images", part.images}});
  }
  json["images_per_identity"] = nullptr;
  if (outcome.identities > 0) {
    json["images_per_identity"] = {
        {"minimum", sizes.minimum}, {"mean", sizes.mean}, {"maximum", sizes.maximum}};
  }
  json["truth"] = nullptr;
  if (quality.images > 0) {
    json["truth"] = {{"images", quality.images},
                     {"labelled", quality.labelled},
                     {"persons", quality.persons},
                     {"precision", number_or_null(quality.precision())},
                     {"recall", number_or_null(quality.recall())},
                     {"f1", number_or_null(quality.f1())},
                     {"purity", number_or_null(quality.purity())}};
  }
  return json;
}

}  // namespace

LabelOutcome label(const Labeler& labeler, ranking::SearchInput input,
                   const std::vector<std::string>& domains, const std::filesystem::path& folder,
                   torch::Device device, progress::ProgressSink& progress) {
  const torch::NoGradGuard no_gradients;
  const auto queries = static_cast<std::int64_t>(input.query.size());
  ranking::require_directions(input.descriptors.slice(0, 0, queries), input.query_file.string());
  ranking::require_directions(input.descriptors.slice(0, queries), input.gallery_file.string());

  // The side says the split: lists of other programs need not.
  auto samples = input.query;
  for (auto& sample : samples) sample.split = Split::query;
  for (const auto& sample : input.gallery) samples.emplace_back(sample).split = Split::gallery;
  data::require_domains(samples, domains, "label");
  const auto rows = rows_of(samples, domains);
  const auto persons = picked(ranking::true_persons(samples), rows);
  samples = picked(samples, rows);
  ranking::SearchPart part{rows_of(input.query, domains), rows_of(input.gallery, domains)};

  Retrieval retrieval;
  retrieval.queries = static_cast<std::int64_t>(part.query.size());
  retrieval.descriptors = std::exchange(input.descriptors, torch::Tensor()).contiguous();
  if (!domains.empty()) {
    retrieval.descriptors = retrieval.descriptors.index_select(0, torch::tensor(rows, torch::kLong));
  }
  scale_to_unit_length(retrieval.descriptors);
  ranking::SearchHost host(input, std::move(part), device, progress);
  const auto labels = labeler.label(retrieval, host);
  require_sound(labels, samples.size());

  std::vector<Sample> labelled;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (labels.identities[i] == unlabelled_identity) continue;
    labelled.push_back(samples[i]);
    labelled.back().identity = labels.identities[i];
  }
  LabelOutcome outcome;
  outcome.csv = folder / "labels.csv";
  outcome.json = folder / "labels.json";
  outcome.images = static_cast<std::int64_t>(labelled.size());
  for (const auto& sample : labelled) outcome.identities = std::max(outcome.identities, sample.identity + 1);
  const auto all = static_cast<std::int64_t>(samples.size());
  const auto sizes = sizes_of(labelled);
  const auto quality = ranking::judge_labels(labels.identities, persons);
  outcome.text = text_of(outcome, all, labels, sizes, quality);

  file::write_sample_list(outcome.csv, labelled);
  const auto json = json_of(outcome, all, labels, sizes, quality);
  file::write_atomically(outcome.json, [&](std::ostream& out) { out << json.dump(2) << '\n'; });
  progress.note(outcome.text.substr(0, outcome.text.size() - 1));
  return outcome;
}

std::vector<Sample> read_labels(const std::filesystem::path& csv) {
  file::SampleListReader reader(csv);
  std::vector<Sample> samples;
  std::unordered_set<std::string> paths;
  for (Sample sample; reader.next(sample);) {
    if (sample.identity < 0) throw reader.error("'" + sample.path + "' has no identity");
    if (!paths.insert(sample.path).second) {
      throw reader.error("image '" + sample.path + "' is listed twice");
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace kindred::stage
