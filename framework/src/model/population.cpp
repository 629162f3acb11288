#include "model/population.h"

#include <algorithm>
#include <set>

#include "kindred/core/error.h"
#include "system/device.h"
#include "text/number_text.h"

namespace kindred::model {
namespace {

std::vector<std::int64_t> numbers_of(const std::vector<Sample>& samples, std::int64_t Sample::*member) {
  std::set<std::int64_t> numbers;
  for (const auto& sample : samples) {
    if (sample.*member >= 0) numbers.insert(sample.*member);
  }
  return {numbers.begin(), numbers.end()};
}

std::int64_t place_of(const std::vector<std::int64_t>& numbers, std::int64_t number) {
  const auto found = std::lower_bound(numbers.begin(), numbers.end(), number);
  return found != numbers.end() && *found == number ? found - numbers.begin() : -1;
}

torch::Tensor places_of(const std::vector<Sample>& samples, const std::vector<std::size_t>& batch,
                        std::int64_t Sample::*member, const std::vector<std::int64_t>& numbers) {
  std::vector<std::int64_t> places;
  places.reserve(batch.size());
  for (const auto index : batch) places.push_back(place_of(numbers, samples.at(index).*member));
  return torch::tensor(places, torch::kInt64);
}

std::string list_text(const std::vector<std::int64_t>& numbers) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(numbers.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
  }
  return text + (numbers.size() > most ? ", ..." : "");
}

void require(const std::string& word, const std::string& user, std::int64_t Sample::*member,
             const std::vector<std::int64_t>& numbers, const std::vector<Sample>& samples) {
  const Sample* first = nullptr;
  std::size_t count = 0;
  for (const auto& sample : samples) {
    if (place_of(numbers, sample.*member) >= 0) continue;
    if (first == nullptr) first = &sample;
    ++count;
  }
  if (first == nullptr) return;
  const auto number = first->*member;
  const auto what = number < 0 ? "its " + word + " is not known"
                               : "its " + word + " " + std::to_string(number) + " is none of those of the " +
                                     "training (" + list_text(numbers) + ")";
  const auto others = count == 1 ? std::string()
                                 : ", nor that of " + text::count_text(static_cast<std::int64_t>(count) - 1,
                                                                       "other image", "other images");
  throw DataError(first->path, what + others + ", but " + user + " uses it; give the data set's " + word +
                                   "s (a manifest has a column for them), or set the parameter of the "
                                   "backbone that says what unknown ones get (unknown_camera in those that "
                                   "come with Kindred)");
}

}  // namespace

Population::Population(std::int64_t identity_count) : identities(identity_count) {}

Population population_of(const std::vector<Sample>& samples, std::int64_t identities) {
  Population population(identities);
  population.cameras = numbers_of(samples, &Sample::camera);
  population.views = numbers_of(samples, &Sample::view);
  return population;
}

torch::Tensor camera_places(const std::vector<Sample>& samples, const std::vector<std::size_t>& batch,
                            const Population& population) {
  return places_of(samples, batch, &Sample::camera, population.cameras);
}

Activations network_input(const torch::Tensor& images, const std::vector<Sample>& samples,
                          const std::vector<std::size_t>& batch, const Population& population) {
  Activations input(images);
  input.cameras = camera_places(samples, batch, population);
  input.views = places_of(samples, batch, &Sample::view, population.views);
  return input;
}

Activations placed(const Activations& input, torch::Device device) {
  Activations there(system::place_images(input.values, device));
  if (input.cameras.defined()) there.cameras = system::place_labels(input.cameras, device);
  if (input.views.defined()) there.views = system::place_labels(input.views, device);
  return there;
}

void require_known(const SideInformation& needed, const std::string& user, const Population& population,
                   const std::vector<Sample>& samples) {
  if (!needed.refuses_unknown) return;
  if (needed.cameras) require("camera", user, &Sample::camera, population.cameras, samples);
  if (needed.views) require("view", user, &Sample::view, population.views, samples);
}

}  // namespace kindred::model
