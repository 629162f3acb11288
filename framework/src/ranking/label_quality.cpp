#include "ranking/label_quality.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "data/distractors.h"

namespace kindred::ranking {
namespace {

std::int64_t pairs_of(std::int64_t images) {
  return images * (images - 1) / 2;
}

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<std::int64_t> true_persons(const std::vector<Sample>& samples) {
  const bool distractors = data::has_distractors(samples);
  std::int64_t next = 0;
  for (const auto& sample : samples) next = std::max(next, sample.identity + 1);
  std::vector<std::int64_t> persons;
  persons.reserve(samples.size());
  for (const auto& sample : samples) {
    const bool distractor = distractors && sample.identity == 0;
    persons.push_back(distractor ? next++ : sample.identity < 0 ? unknown_person : sample.identity);
  }
  return persons;
}

std::optional<double> LabelQuality::precision() const {
  return share(right_pairs, pairs);
}
std::optional<double> LabelQuality::recall() const {
  return share(right_pairs, true_pairs);
}
std::optional<double> LabelQuality::f1() const {
  return share(2 * right_pairs, pairs + true_pairs);
}
std::optional<double> LabelQuality::purity() const {
  return share(largest_parts, labeled);
}

LabelQuality judge_labels(const std::vector<std::int64_t>& identities,
                          const std::vector<std::int64_t>& persons) {
  if (identities.size() != persons.size()) {
    throw std::logic_error("judge_labels needs a person for each pseudo identity");
  }
  LabelQuality quality;
  std::unordered_map<std::int64_t, std::int64_t> images_of;            // by person
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> parts;  // by pseudo identity and person
  for (std::size_t i = 0; i < persons.size(); ++i) {
    if (persons[i] == unknown_person) continue;
    ++quality.images;
    ++images_of[persons[i]];
    if (identities[i] == unlabeled_identity) continue;
    ++quality.labeled;
    ++parts[identities[i]][persons[i]];
  }
  for (const auto& [person, images] : images_of) quality.true_pairs += pairs_of(images);
  std::unordered_set<std::int64_t> labeled;
  for (const auto& [identity, images_by_person] : parts) {
    std::int64_t all = 0;
    std::int64_t largest = 0;
    for (const auto& [person, images] : images_by_person) {
      all += images;
      largest = std::max(largest, images);
      quality.right_pairs += pairs_of(images);
      labeled.insert(person);
    }
    quality.pairs += pairs_of(all);
    quality.largest_parts += largest;
  }
  quality.persons = static_cast<std::int64_t>(labeled.size());
  return quality;
}

}  // namespace kindred::ranking
