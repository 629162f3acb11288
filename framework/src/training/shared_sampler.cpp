#include "training/shared_sampler.h"

#include <cstdint>
#include <map>
#include <utility>

#include "data/combined_dataset.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "text/number_text.h"
#include "training/shared_batches.h"

namespace kindred::training {
namespace {

/// The samplers of the data sets, as one.
class SharedSampler final : public Sampler {
 public:
  struct Part {
    double share;
    std::vector<std::size_t> images;  ///< indices into the training images
    std::unique_ptr<Sampler> sampler;
  };

  SharedSampler(std::vector<Part> parts, const std::vector<std::int64_t>& identities)
      : parts_(std::move(parts)), identities_(identities) {}

  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override {
    const auto seed = random();
    std::vector<BatchPart> sources;
    for (std::uint64_t number = 0; number < parts_.size(); ++number) {
      const auto& part = parts_[number];
      sources.push_back({part.share, [&part, seed, number, epoch](std::int64_t pass) {
                           RandomStream own(seed, {number, static_cast<std::uint64_t>(pass)});
                           auto batches = part.sampler->batches(epoch, own);
                           for (auto& batch : batches) {
                             for (auto& image : batch) image = part.images[image];
                           }
                           return batches;
                         }});
    }
    return shared_batches(sources, identities_);
  }

 private:
  std::vector<Part> parts_;
  const std::vector<std::int64_t>& identities_;
};

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

std::unique_ptr<Sampler> create_sampler(const recipe::Plan& plan, const TrainingData& data) {
  if (!recipe::have_shares(plan.datasets)) {
    if (plan.datasets.size() == 1) return plan.sampler.create({data.samples});
    auto samples = data.samples;
    data::keep_cameras_apart(samples);
    return plan.sampler.create({samples});
  }
  std::vector<SharedSampler::Part> parts;
  for (const auto& dataset : plan.datasets) {
    if (!dataset.trained_on()) continue;
    SharedSampler::Part part{*dataset.share, {}, nullptr};
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < data.samples.size(); ++i) {
      if (recipe::dataset_of(plan.datasets, data.samples[i].path) != &dataset) continue;
      part.images.push_back(i);
      samples.push_back(data.samples[i]);
    }
    part.sampler = sampler_of(plan, dataset, samples);
    parts.push_back(std::move(part));
  }
  return std::make_unique<SharedSampler>(std::move(parts), data.labels);
}

std::string shares_text(const recipe::Plan& plan, const TrainingData& data,
                        const std::vector<std::vector<std::size_t>>& batches) {
  if (!recipe::have_shares(plan.datasets)) return "";
  const auto dataset_of = [&](std::size_t image) {
    return recipe::dataset_of(plan.datasets, data.samples[image].path);
  };
  std::map<const recipe::DatasetChoice*, double> there;
  for (std::size_t i = 0; i < data.samples.size(); ++i) ++there[dataset_of(i)];
  std::map<const recipe::DatasetChoice*, double> taken;
  double all = 0;
  for (const auto& batch : batches) {
    all += static_cast<double>(batch.size());
    for (const auto image : batch) ++taken[dataset_of(image)];
  }
  std::string parts;
  for (const auto& dataset : plan.datasets) {
    if (!dataset.trained_on()) continue;
    parts += (parts.empty() ? " " : ", ") + text::fixed_text(100 * taken[&dataset] / all, 1) + " % are of '" +
             dataset.name + "' (" + text::significant_text(taken[&dataset] / there[&dataset], 2) +
             " times its " + text::fixed_text(there[&dataset], 0) + ")";
  }
  return "an epoch has " + std::to_string(batches.size()) + " batches; of their images" + parts;
}

}  // namespace kindred::training
