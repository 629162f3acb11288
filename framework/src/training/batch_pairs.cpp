#include "training/batch_pairs.h"

#include <cmath>
#include <unordered_map>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "recipe/guarded.h"

namespace kindred::training {
namespace {

/// The stream that samplers draw an epoch's batches from.
constexpr std::uint64_t sampler_stream = 0x73616d706c65;

/// One epoch of a random sampler may have no pairs by chance; so many have none by its parameters.
constexpr std::int64_t epochs_looked_at = 3;

double share_of_first_epochs(const recipe::Plan& plan, const Sampler& sampler,
                             const std::vector<std::int64_t>& labels) {
  double sum = 0;
  for (std::int64_t epoch = 1; epoch <= epochs_looked_at; ++epoch) {
    sum += share_with_pairs(batches_of(plan, sampler, epoch), labels);
  }
  return sum / epochs_looked_at;
}

/// Of many identities and cameras.
std::vector<Sample> made_samples() {
  constexpr std::int64_t identities = 256;
  constexpr std::int64_t images = 32;
  constexpr std::int64_t cameras = 8;
  std::vector<Sample> samples;
  for (std::int64_t identity = 0; identity < identities; ++identity) {
    for (std::int64_t image = 0; image < images; ++image) {
      samples.push_back({std::to_string(identity) + "_" + std::to_string(image), identity, image % cameras,
                         "", Split::train});
    }
  }
  return samples;
}

RecipeError no_pairs(const recipe::Plan& plan, const std::string& terms) {
  return {
      plan.sampler.location,
      plan.sampler.subject() +
          " makes batches in which no image has both another image of its identity "
          "and one of another identity, so " +
          terms +
          " would always be 0; use a sampler with several identities and at least two images of each in a "
          "batch, or remove the loss"};
}

}  // namespace

std::int64_t anchors_with_pairs(const std::vector<std::int64_t>& labels) {
  std::unordered_map<std::int64_t, std::int64_t> images;
  for (const auto label : labels) ++images[label];
  if (images.size() < 2) return 0;
  std::int64_t anchors = 0;
  for (const auto& [label, count] : images) anchors += count > 1 ? count : 0;
  return anchors;
}

double share_with_pairs(const std::vector<std::vector<std::size_t>>& batches,
                        const std::vector<std::int64_t>& labels) {
  std::int64_t anchors = 0;
  std::size_t images = 0;
  for (const auto& batch : batches) {
    std::vector<std::int64_t> own;
    own.reserve(batch.size());
    for (const auto index : batch) own.push_back(labels.at(index));
    anchors += anchors_with_pairs(own);
    images += batch.size();
  }
  return images == 0 ? 0 : static_cast<double>(anchors) / static_cast<double>(images);
}

std::vector<std::vector<std::size_t>> batches_of(const recipe::Plan& plan, const Sampler& sampler,
                                                 std::int64_t epoch) {
  RandomStream random(plan.seed, {sampler_stream, static_cast<std::uint64_t>(epoch)});
  return sampler.batches(epoch, random);
}

std::vector<std::vector<std::size_t>> batches_without_data(const recipe::Plan& plan) {
  const auto samples = made_samples();
  try {
    const auto sampler = plan.sampler.create({samples});
    return batches_of(plan, *sampler, 1);
  } catch (const RecipeError&) {
    return {};  // it wants other data: training will say of which kind
  } catch (const ComponentError&) {
    return {};
  }
}

std::string terms_with_pairs(const std::vector<model::LossTerm>& terms) {
  std::vector<std::string> names;
  for (const auto& term : terms) {
    if (recipe::guarded(term.subject, [&] { return term.loss->needs_pairs(); })) names.push_back(term.name);
  }
  return names.empty() ? "" : quoted_list(names);
}

std::string check_pairs(const recipe::Plan& plan, const Sampler& sampler,
                        const std::vector<std::int64_t>& labels, const std::string& terms) {
  if (terms.empty()) return "";
  const double share = share_of_first_epochs(plan, sampler, labels);
  if (share == 0) throw no_pairs(plan, terms);
  if (share >= 0.5) return "";
  return "warning: only " + std::to_string(std::lround(100 * share)) +
         " % of the images of a batch have another image of their identity in it and one of another; " +
         terms + " can learn from these alone. Use a sampler with several images of each identity";
}

void check_pairs_without_data(const recipe::Plan& plan, const std::string& terms) {
  if (terms.empty()) return;
  const auto samples = made_samples();
  std::vector<std::int64_t> labels;
  for (const auto& sample : samples) labels.push_back(sample.identity);
  try {
    const auto sampler = plan.sampler.create({samples});
    if (batches_of(plan, *sampler, 1).empty()) return;
    if (share_of_first_epochs(plan, *sampler, labels) > 0) return;
  } catch (const RecipeError&) {
    return;  // it wants other data: training will say of which kind
  } catch (const ComponentError&) {
    return;
  }
  throw no_pairs(plan, terms);
}

}  // namespace kindred::training
