#include "model/population.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "kindred/core/error.h"
#include "recipe/dataset_choice.h"
#include "system/device.h"
#include "text/number_text.h"

namespace kindred::model {
namespace {

constexpr std::int64_t no_place = -1;

std::vector<std::int64_t> numbers_of(const std::vector<Sample>& samples, std::int64_t Sample::*member) {
  std::set<std::int64_t> numbers;
  for (const auto& sample : samples) {
    if (sample.*member >= 0) numbers.insert(sample.*member);
  }
  return {numbers.begin(), numbers.end()};
}

/// One data set after the other, in the order of their first samples, the numbers of each ascending.
std::vector<Camera> cameras_of_several(const std::vector<Sample>& samples) {
  std::vector<std::string> names;
  std::map<std::string, std::set<std::int64_t>> numbers;
  for (const auto& sample : samples) {
    if (sample.camera < 0) continue;
    const auto [found, is_new] = numbers.try_emplace(recipe::dataset_name_in(sample.path));
    if (is_new) names.push_back(found->first);
    found->second.insert(sample.camera);
  }
  std::vector<Camera> cameras;
  for (const auto& name : names) {
    for (const auto number : numbers.at(name)) cameras.emplace_back(name, number);
  }
  return cameras;
}

template <class Value>
std::int64_t place_in(const std::vector<Value>& values, const Value& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? no_place : found - values.begin();
}

std::int64_t place_of_camera(const Population& population, const Sample& sample) {
  if (sample.camera < 0) return no_place;
  if (!population.has_cameras_of_several()) return place_in<Camera>(population.cameras, sample.camera);
  const auto dataset = population.dataset ? *population.dataset : recipe::dataset_name_in(sample.path);
  return place_in(population.cameras, Camera(dataset, sample.camera));
}

std::int64_t place_of_view(const Population& population, const Sample& sample) {
  return sample.view < 0 ? no_place : place_in(population.views, sample.view);
}

using PlaceOf = std::int64_t (*)(const Population&, const Sample&);

torch::Tensor places_of(const std::vector<Sample>& samples, const std::vector<std::size_t>& batch,
                        PlaceOf place_of, const Population& population) {
  std::vector<std::int64_t> places;
  places.reserve(batch.size());
  for (const auto index : batch) places.push_back(place_of(population, samples.at(index)));
  return torch::tensor(places, torch::kInt64);
}

std::string text_of(const Camera& camera) {
  return camera.text();
}

std::string text_of(std::int64_t view) {
  return std::to_string(view);
}

template <class Value>
std::string list_text(const std::vector<Value>& values) {
  constexpr std::size_t most = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + text_of(values[i]);
  }
  return text + (values.size() > most ? ", ..." : "");
}

/// @param member what a sample has of it
/// @param known those of the training
/// @param remedy what to do about numbers that are known and are none of them
template <class Value>
void require(const std::string& word, const std::string& user, std::int64_t Sample::*member, PlaceOf place_of,
             const std::vector<Value>& known, const std::string& remedy, const Population& population,
             const std::vector<Sample>& samples) {
  const Sample* first = nullptr;
  std::size_t count = 0;
  for (const auto& sample : samples) {
    if (place_of(population, sample) != no_place) continue;
    if (first == nullptr) first = &sample;
    ++count;
  }
  if (first == nullptr) return;
  const auto number = first->*member;
  const auto what = number < 0 ? "its " + word + " is not known"
                               : "its " + word + " " + std::to_string(number) + " is none of those of the " +
                                     "training (" + list_text(known) + ")";
  const auto others = count == 1 ? std::string()
                                 : ", nor that of " + text::count_text(static_cast<std::int64_t>(count) - 1,
                                                                       "other image", "other images");
  throw DataError(first->path, what + others + ", but " + user + " uses it; " + (number < 0 ? "" : remedy) +
                                   "give the data set's " + word +
                                   "s (a manifest has a column for them), or set the parameter of the "
                                   "backbone that says what unknown ones get (unknown_camera in those that "
                                   "come with Kindred)");
}

}  // namespace

Camera::Camera(std::int64_t its_number) : number(its_number) {}
Camera::Camera(std::string its_dataset, std::int64_t its_number)
    : dataset(std::move(its_dataset)), number(its_number) {}

std::string Camera::text() const {
  return (dataset.empty() ? "" : dataset + "/") + std::to_string(number);
}

Population::Population(std::int64_t identity_count) : identities(identity_count) {}

Population population_of(const std::vector<Sample>& samples, std::int64_t identities, bool of_several) {
  Population population(identities);
  if (of_several) {
    population.cameras = cameras_of_several(samples);
  } else {
    const auto numbers = numbers_of(samples, &Sample::camera);
    population.cameras.assign(numbers.begin(), numbers.end());
  }
  population.views = numbers_of(samples, &Sample::view);
  return population;
}

torch::Tensor camera_places(const std::vector<Sample>& samples, const std::vector<std::size_t>& batch,
                            const Population& population) {
  return places_of(samples, batch, place_of_camera, population);
}

Activations network_input(const torch::Tensor& images, const std::vector<Sample>& samples,
                          const std::vector<std::size_t>& batch, const Population& population) {
  Activations input(images);
  input.cameras = camera_places(samples, batch, population);
  input.views = places_of(samples, batch, place_of_view, population);
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
  if (needed.cameras) {
    // Images of one of the data sets, of which nobody says so.
    const bool may_be_known =
        population.has_cameras_of_several() && population.dataset && population.dataset->empty();
    const std::string remedy =
        may_be_known ? "say of which of these data sets they are by leaving the others out of the model's "
                       "recipe (--set dataset.NAME.enabled=false), "
                     : "";
    require("camera", user, &Sample::camera, place_of_camera, population.cameras, remedy, population,
            samples);
  }
  if (needed.views) {
    require("view", user, &Sample::view, place_of_view, population.views, "", population, samples);
  }
}

}  // namespace kindred::model
