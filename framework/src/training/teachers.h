// Other models whose descriptors of the training images losses may be on: [[teacher]].
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kindred/nn/activations.h"
#include "kindred/nn/output.h"
#include "model/model.h"
#include "model/population.h"
#include "recipe/plan.h"

namespace kindred::training {

/// None of them learns: they compute in evaluation mode and without a graph. A mean teacher (Tarvainen &
/// Valpola, NIPS 2017) is the learning model itself with its averaged weights.
class Teachers {
 public:
  Teachers() = default;
  /// Reads the files. Throws RecipeError at a teacher whose images are of another size, whose output has the
  /// name of one of the student's, or whose file cannot be used with the reason; DataError when the file is
  /// not that of the recipe.
  /// @param student on the CPU, in any mode
  /// @param population of the training images, whose cameras and views a teacher may have to know; without
  /// any where the images are not known
  /// @param notes gets a sentence for each file, and a warning where its images are prepared otherwise
  Teachers(const recipe::Plan& plan, model::Model& student, const model::Population& population,
           std::vector<std::string>& notes);

  void place(torch::Device device);

  /// "NAME.descriptor" of each.
  [[nodiscard]] const std::vector<OutputInfo>& outputs() const { return outputs_; }

  /// What they give for a batch, before it is normalized: 32-bit floats [N, dim] for each of outputs().
  /// @param images as the student takes them, on the device
  /// @param average the descriptors of the student with its averaged weights, called for each mean teacher
  [[nodiscard]] std::vector<torch::Tensor> descriptors(
      const Activations& images, const std::function<torch::Tensor(const Activations&)>& average) const;

 private:
  struct Teacher {
    std::shared_ptr<model::Model> model;  // none: a mean teacher
    torch::Tensor cameras;                // the teacher's place of each of the student's, after that of -1
    torch::Tensor views;
  };
  std::vector<Teacher> teachers_;
  std::vector<OutputInfo> outputs_;
};

}  // namespace kindred::training
