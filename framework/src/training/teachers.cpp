#include "training/teachers.h"

#include <torch/utils.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <opencv2/core/types.hpp>
#include <optional>
#include <utility>

#include "kindred/core/error.h"
#include "model/model_file.h"
#include "model/population.h"
#include "system/device.h"
#include "training/image_size.h"
#include "weights/initial_weights.h"

namespace kindred::training {
namespace {

/// Of images whose size is that of the data.
constexpr int any_height = 256;
constexpr int any_width = 128;

std::string image_size_text(const std::optional<cv::Size>& size) {
  return size ? std::to_string(size->height) + " x " + std::to_string(size->width) + " pixels"
              : "the size that they have";
}

/// The augmentations that run at test time, as the recipe says them.
Value preprocessing(const recipe::ExtractionPlan& plan) {
  Array list;
  for (const auto& choice : plan.augmentations) {
    if (choice.create({})->at_test_time()) list.push_back(choice.resolved());
  }
  return {std::move(list)};
}

/// For images of the student's that have no place there: -1, as for those whose own is -1, which is row 0.
template <class Value>
torch::Tensor places(const std::vector<Value>& students, const std::vector<Value>& teachers) {
  std::vector<std::int64_t> result{-1};
  for (const auto& value : students) {
    const auto found = std::find(teachers.begin(), teachers.end(), value);
    result.push_back(found == teachers.end() ? -1 : found - teachers.begin());
  }
  return torch::tensor(result, torch::kInt64);
}

torch::Tensor translated(const torch::Tensor& places, const torch::Tensor& table) {
  return places.defined() ? table.index_select(0, places + 1) : places;
}

/// The length of a model's descriptors at test time, which is not that of its training where a head joins
/// more.
std::int64_t descriptor_dim(model::Model& model, cv::Size size) {
  const torch::NoGradGuard no_gradients;
  const bool was_training = model.is_training();
  model.eval();
  Activations images(torch::zeros({1, 3, size.height, size.width}));
  images.cameras = torch::zeros({1}, torch::kInt64);
  images.views = torch::zeros({1}, torch::kInt64);
  const auto dim = model.forward(images).back().size(1);
  model.train(was_training);
  return dim;
}

/// Where the teacher must know all cameras of the student's training, and does not.
void require_known_places(const recipe::TeacherChoice& choice, bool used, const std::string& word,
                          const torch::Tensor& table, const std::vector<std::string>& students) {
  if (!used) return;
  for (std::size_t i = 0; i < students.size(); ++i) {
    if (table[static_cast<std::int64_t>(i) + 1].item<std::int64_t>() >= 0) continue;
    throw RecipeError(choice.location, "teacher '" + choice.name + "': " + *choice.weights + " uses the " +
                                           word + "s of images, and does not know " + word + " " +
                                           students[i] +
                                           " of the training images; use a teacher trained with it, or one "
                                           "that uses no " +
                                           word + "s");
  }
}

}  // namespace

Teachers::Teachers(const recipe::Plan& plan, model::Model& student, const model::Population& population,
                   std::vector<std::string>& notes) {
  if (plan.teachers.empty()) return;
  const auto size = image_size(plan, /*at_test_time=*/false);
  for (const auto& choice : plan.teachers) {
    const auto subject = "teacher '" + choice.name + "': ";
    const auto of_student = student.outputs();
    for (const auto& output : of_student) {
      if (output.name != choice.output()) continue;
      throw RecipeError(choice.location, subject + "the head has an output '" + output.name +
                                             "' already; choose another name for the teacher");
    }
    const auto usual = size.value_or(cv::Size(any_width, any_height));
    if (choice.average) {
      teachers_.emplace_back();
      outputs_.push_back({choice.output(), OutputKind::feature, descriptor_dim(student, usual)});
      continue;
    }
    const std::filesystem::path file = *choice.weights;
    weights::require_hash(file, choice.weights_sha256);
    auto found = [&] {
      try {
        return model::read_model_file(file, *plan.catalog, {});
      } catch (const RecipeError& error) {
        throw RecipeError(choice.location, subject + error.what());
      }
    }();
    const auto own_size = image_size(found.plan, /*at_test_time=*/true);
    if (own_size && own_size != size) {
      throw RecipeError(choice.location, subject + file.string() + " was trained with images of " +
                                             image_size_text(own_size) +
                                             ", but this recipe gives it images of " + image_size_text(size) +
                                             " (height x width); use a teacher of the same size, or train at "
                                             "its size");
    }
    auto note = subject + "descriptors of " + file.string();
    if (const auto here = preprocessing(plan), there = preprocessing(found.plan); !(here == there)) {
      notes.push_back("warning: " + subject + file.string() +
                      " was trained with images that were prepared otherwise, so its descriptors may be "
                      "poor:\n  there: " +
                      there.to_toml() + "\n  here: " + here.to_toml());
    }
    for (auto& other : found.notes) notes.push_back(std::move(other));
    Teacher teacher{std::move(found.model), {}, {}};
    for (auto& parameter : teacher.model->parameters()) parameter.set_requires_grad(false);
    const auto& there = teacher.model->population();
    teacher.cameras = places(population.cameras, there.cameras);
    teacher.views = places(population.views, there.views);
    const auto& side = teacher.model->side_information();
    std::vector<std::string> cameras;
    for (const auto& camera : population.cameras) cameras.push_back(camera.text());
    std::vector<std::string> views;
    for (const auto view : population.views) views.push_back(std::to_string(view));
    require_known_places(choice, side.cameras && side.refuses_unknown, "camera", teacher.cameras, cameras);
    require_known_places(choice, side.views && side.refuses_unknown, "view", teacher.views, views);
    const auto dim = descriptor_dim(*teacher.model, usual);
    notes.push_back(note + ", of dim " + std::to_string(dim));
    outputs_.push_back({choice.output(), OutputKind::feature, dim});
    teachers_.push_back(std::move(teacher));
  }
}

void Teachers::place(torch::Device device) {
  for (auto& teacher : teachers_) {
    if (teacher.model == nullptr) continue;
    system::place_module(*teacher.model, device);
    teacher.cameras = system::place_labels(teacher.cameras, device);
    teacher.views = system::place_labels(teacher.views, device);
  }
}

std::vector<torch::Tensor> Teachers::descriptors(
    const Activations& images, const std::function<torch::Tensor(const Activations&)>& average) const {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> result;
  for (const auto& teacher : teachers_) {
    auto own = images;
    if (teacher.model != nullptr) {
      own.cameras = translated(images.cameras, teacher.cameras);
      own.views = translated(images.views, teacher.views);
    }
    const auto descriptor = teacher.model == nullptr ? average(own) : teacher.model->forward(own).back();
    result.push_back(descriptor.to(torch::kFloat32));
  }
  return result;
}

}  // namespace kindred::training
