#include "training/training_data.h"

#include <boost/crc.hpp>

#include <map>
#include <utility>

#include "data/open_dataset.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "text/number_text.h"

namespace kindred::training {
namespace {

std::string fingerprint_of(const std::vector<Sample>& samples) {
  boost::crc_32_type crc;
  for (const auto& sample : samples) {
    const std::string text = sample.path + '\0' + std::to_string(sample.identity) + '\0' +
                             std::to_string(sample.camera) + '\0' + sample.domain + '\n';
    crc.process_bytes(text.data(), text.size());
  }
  return std::to_string(samples.size()) + " images, " + text::hex_digits(crc.checksum());
}

}  // namespace

TrainingData load_training_data(const recipe::Plan& plan) {
  TrainingData data;
  data.dataset = data::open_training_dataset(plan);
  const std::string subject = plan.dataset.factory->info().id();
  auto samples = data.dataset->samples();
  data::try_each_ending(plan, *data.dataset, samples);
  for (auto& sample : samples) {
    switch (sample.split) {
      case Split::train:
        data.samples.push_back(std::move(sample));
        break;
      case Split::query:
        data.query.push_back(std::move(sample));
        break;
      case Split::gallery:
        data.gallery.push_back(std::move(sample));
        break;
    }
  }
  if (data.samples.empty()) {
    throw ComponentError(subject, "has no training images (" + std::to_string(data.query.size()) +
                                      " query, " + std::to_string(data.gallery.size()) +
                                      " gallery images); choose a data set with a split 'train'");
  }
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
  return data;
}

}  // namespace kindred::training
