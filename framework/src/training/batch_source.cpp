#include "training/batch_source.h"

#include <map>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "text/number_text.h"
#include "training/shared_batches.h"

namespace kindred::training {
namespace {

/// The stream that samplers draw an epoch's batches from.
constexpr std::uint64_t sampler_stream = 0x73616d706c65;

std::unique_ptr<Sampler> sampler_of(const recipe::Plan& plan, const recipe::DatasetChoice& dataset,
                                    const std::vector<Sample>& samples) {
  try {
    return plan.sampler.create({samples});
  } catch (const RecipeError& error) {
    throw RecipeError(dataset.location, "data set '" + dataset.name +
                                            "': " + error.diagnostics().front().message +
                                            " (with shares, each data set must suffice for the sampler)");
  }
}

}  // namespace

BatchSource::BatchSource(const recipe::Plan& plan, const TrainingData& data) : plan_(plan), data_(data) {
  if (!recipe::have_shares(plan.datasets)) {
    whole_ = plan.sampler.create({data.samples});
    return;
  }
  for (const auto& dataset : plan.datasets) {
    if (!dataset.trained_on()) continue;
    Part part{dataset.name, *dataset.share, {}, nullptr};
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < data.samples.size(); ++i) {
      if (recipe::dataset_of(plan.datasets, data.samples[i].path) != &dataset) continue;
      part.images.push_back(i);
      samples.push_back(data.samples[i]);
    }
    part.sampler = sampler_of(plan, dataset, samples);
    parts_.push_back(std::move(part));
  }
}

std::vector<std::vector<std::size_t>> BatchSource::batches(std::int64_t epoch) const {
  if (whole_) {
    RandomStream random(plan_.seed, {sampler_stream, static_cast<std::uint64_t>(epoch)});
    return whole_->batches(epoch, random);
  }
  std::vector<BatchPart> parts;
  for (std::size_t number = 0; number < parts_.size(); ++number) {
    const auto& part = parts_[number];
    parts.push_back({part.share, [this, epoch, number, &part](std::int64_t pass) {
                       RandomStream random(plan_.seed, {sampler_stream, static_cast<std::uint64_t>(epoch),
                                                        static_cast<std::uint64_t>(number),
                                                        static_cast<std::uint64_t>(pass)});
                       auto batches = part.sampler->batches(epoch, random);
                       for (auto& batch : batches) {
                         for (auto& image : batch) {
                           if (image >= part.images.size()) {
                             throw ComponentError(plan_.sampler.factory->info().id(),
                                                  "requests image " + std::to_string(image) + " of only " +
                                                      std::to_string(part.images.size()));
                           }
                           image = part.images[image];
                         }
                       }
                       return batches;
                     }});
  }
  return shared_batches(parts, data_.labels);
}

std::string BatchSource::shares_text() const {
  if (whole_) return "";
  const auto first = batches(1);
  double all = 0;
  std::map<const recipe::DatasetChoice*, double> taken;
  for (const auto& batch : first) {
    all += static_cast<double>(batch.size());
    for (const auto image : batch) ++taken[recipe::dataset_of(plan_.datasets, data_.samples[image].path)];
  }
  std::string text = "an epoch has " + std::to_string(first.size()) + " batches; of their images";
  for (const auto& part : parts_) {
    const double images = taken[recipe::find_dataset(plan_.datasets, part.name)];
    text += (&part == &parts_.front() ? " " : ", ") + text::fixed_text(100 * images / all, 1) +
            " % are of '" + part.name + "' (" +
            text::significant_text(images / static_cast<double>(part.images.size()), 2) + " times its " +
            std::to_string(part.images.size()) + ")";
  }
  return text;
}

}  // namespace kindred::training
