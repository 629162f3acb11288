#include "training/training_data.h"

#include <boost/crc.hpp>

#include <array>
#include <map>
#include <memory>
#include <utility>

#include "data/open_dataset.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "recipe/affects.h"
#include "recipe/recipe.h"
#include "system/memory.h"
#include "text/number_text.h"

namespace kindred::training {
namespace {

std::string fingerprint_of(const std::vector<Sample>& samples, bool with_clothes = false) {
  boost::crc_32_type crc;
  for (const auto& sample : samples) {
    std::string text = sample.path + '\0' + std::to_string(sample.identity) + '\0' +
                       std::to_string(sample.camera) + '\0' + sample.domain + '\n';
    if (sample.view != unknown_view) text += "view " + std::to_string(sample.view) + '\n';
    if (!sample.tracklet.empty()) text += "tracklet " + sample.tracklet + '\n';
    if (with_clothes) text += "clothes " + std::to_string(sample.clothes) + '\n';
    crc.process_bytes(text.data(), text.size());
  }
  return std::to_string(samples.size()) + " images, " + text::hex_digits(crc.checksum());
}

/// Images of each split.
using SplitCounts = std::array<std::int64_t, 3>;

void require_training_images(const recipe::DatasetChoice& choice, const SplitCounts& counts) {
  const auto count = [&](Split split) { return counts[static_cast<std::size_t>(split)]; };
  if (count(Split::train) > 0) return;
  throw ComponentError(choice.id(),
                       "has no training images (" + std::to_string(count(Split::query)) + " query, " +
                           std::to_string(count(Split::gallery)) + " gallery images); " +
                           (choice.prefix.empty() ? "choose a data set with a split 'train'"
                                                  : "set its share = 0 to evaluate on it alone"));
}

/// With loader.cache_mib the data set keeps images in memory.
void keep_images(TrainingData& data, const recipe::Plan& plan, std::int64_t ranks_here) {
  const auto size = plan.loader.cache_mib;
  if (size == 0) return;
  const auto memory = system::machine_memory_mib();
  if (memory > 0 && size > memory / ranks_here) {
    const auto each = ranks_here > 1 ? " for each of its " + std::to_string(ranks_here) + " ranks" : "";
    throw RecipeError(plan.cache_location, "loader.cache_mib = " + std::to_string(size) + each +
                                               ", but this machine has " + std::to_string(memory) +
                                               " MiB of memory; leave enough of it to the training itself");
  }
  auto cache = std::make_unique<data::CachedDataset>(std::move(data.dataset), size << 20);
  data.cache = cache.get();
  data.dataset = std::move(cache);
}

}  // namespace

TrainingData load_training_data(const recipe::Plan& plan, std::int64_t ranks_here) {
  TrainingData data;
  data.dataset = data::open_training_dataset(plan);
  std::map<const recipe::DatasetChoice*, SplitCounts> counts;
  std::map<std::string, std::size_t> test_sets;
  for (const auto& name : plan.evaluate_on) {
    const auto* choice = recipe::find_dataset(plan.datasets, name);
    test_sets.emplace(name, data.test_sets.size());
    data.test_sets.push_back({choice->prefix.empty() ? "" : name, choice->id(), {}, {}});
  }
  auto samples = data.dataset->samples();
  data::try_each_ending(plan, *data.dataset, samples);
  for (auto& sample : samples) {
    const auto* choice = recipe::dataset_of(plan.datasets, sample.path);
    ++counts[choice][static_cast<std::size_t>(sample.split)];
    if (sample.split == Split::train) {
      data.samples.push_back(std::move(sample));
    } else if (data::is_read_in_training(plan, sample)) {
      auto& test_set = data.test_sets.at(test_sets.at(choice->name));
      (sample.split == Split::query ? test_set.query : test_set.gallery).push_back(std::move(sample));
    }
  }
  for (const auto& choice : plan.datasets) {
    if (choice.trained_on()) require_training_images(choice, counts[&choice]);
  }
  const std::string subject = plan.datasets.size() > 1 ? "the data sets" : plan.dataset().id();
  std::map<std::int64_t, std::int64_t> classes;
  for (const auto& sample : data.samples) {
    if (sample.identity < 0) {
      throw ComponentError(subject, "training image '" + sample.path + "' " +
                                        (sample.identity == junk_identity ? "is junk" : "has no identity") +
                                        "; every training image needs an identity of 0 or more");
    }
    classes.emplace(sample.identity, 0);
  }
  if (classes.size() < 2) {
    throw ComponentError(
        subject, "all " + std::to_string(data.samples.size()) +
                     " training images have the same identity; training needs at least two identities");
  }
  for (auto& [identity, index] : classes) index = data.identities++;
  for (const auto& sample : data.samples) data.labels.push_back(classes.at(sample.identity));
  data.fingerprint = fingerprint_of(data.samples);
  keep_images(data, plan, ranks_here);
  return data;
}

std::string evaluation_identity(const recipe::Plan& plan, const TrainingData& data) {
  const auto of_ranking = recipe::part_affecting(Affects::ranking, plan.resolved_ranking(), *plan.catalog);
  auto of_features = recipe::part_affecting(Affects::features, plan.resolved(), *plan.catalog);
  if (auto* embed = of_features.as<Table>()->find("embed")) {
    // Here descriptors stay in memory, and are the same in batches of any size.
    for (const auto* key : {"batch_size", "storage", "shard_images"}) embed->as<Table>()->erase(key);
  }
  Table identity;
  identity.set("best_by", Value(plan.train.best_by));
  const auto take = [&](const Value& part, const char* key) {
    if (const auto* table = part.as<Table>()->find(key)) identity.set(key, *table);
  };
  take(of_ranking, "evaluate");
  take(of_ranking, "metric");
  take(of_features, "embed");
  take(of_features, "loader");
  Array tests;
  for (const auto& test_set : data.test_sets) {
    Table test;
    test.set("name", Value(test_set.name));
    test.set("query", Value(fingerprint_of(test_set.query, /*with_clothes=*/true)));
    test.set("gallery", Value(fingerprint_of(test_set.gallery, /*with_clothes=*/true)));
    tests.emplace_back(std::move(test));
  }
  identity.set("test_set", Value(std::move(tests)));
  return recipe::write_recipe(Value(std::move(identity)));
}

}  // namespace kindred::training
