#include "model/model_file.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>
#include <utility>

#include "file/checksum.h"
#include "kindred/core/error.h"
#include "recipe/recipe.h"
#include "system/version.h"

namespace kindred::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* recipe_key = "kindred.recipe";
constexpr const char* identities_key = "kindred.identities";
constexpr const char* version_key = "kindred.version";

/// "\n  2 missing: a, b"
std::string listed(const std::string& what, const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  if (names.empty()) return "";
  std::string text = "\n  " + std::to_string(names.size()) + " " + what + ": ";
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) text += ", ...";
  return text;
}

std::int64_t read_identities(const fs::path& file, const std::string& text) {
  std::int64_t identities = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), identities);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || identities < 1) {
    throw DataError(file, "is damaged: its '" + std::string(identities_key) + "' is '" + text + "'");
  }
  return identities;
}

}  // namespace

std::string shape_text(const torch::Tensor& tensor) {
  std::string text = "[";
  for (std::int64_t i = 0; i < tensor.dim(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(tensor.size(i));
  return text + "]";
}

std::vector<std::pair<std::string, torch::Tensor>> module_tensors(const torch::nn::Module& module,
                                                                  const std::string& prefix) {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
  for (const auto& entry : module.named_parameters())
    tensors.emplace_back(prefix + entry.key(), entry.value());
  for (const auto& entry : module.named_buffers()) tensors.emplace_back(prefix + entry.key(), entry.value());
  return tensors;
}

void load_module(torch::nn::Module& module, const std::string& prefix, const file::TensorFile& content,
                 const fs::path& file) {
  std::map<std::string, torch::Tensor> given;
  for (const auto& [name, tensor] : content.tensors) {
    if (name.rfind(prefix, 0) == 0) given.emplace(name, tensor);
  }
  std::vector<std::string> missing;
  std::vector<std::string> wrong_shape;
  std::vector<std::string> wrong_type;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> pairs;
  for (auto& [name, tensor] : module_tensors(module, prefix)) {
    const auto found = given.find(name);
    if (found == given.end()) {
      missing.push_back(name);
      continue;
    }
    const auto source = found->second;
    given.erase(found);
    if (source.sizes() != tensor.sizes()) {
      wrong_shape.push_back(name + " " + shape_text(source) + " instead of " + shape_text(tensor));
    } else if (source.scalar_type() != tensor.scalar_type() &&
               !(source.is_floating_point() && tensor.is_floating_point())) {
      wrong_type.push_back(name + " " + torch::toString(source.scalar_type()) + " instead of " +
                           torch::toString(tensor.scalar_type()));
    } else {
      pairs.emplace_back(tensor, source);
    }
  }
  std::vector<std::string> left_over;
  for (const auto& [name, tensor] : given) left_over.push_back(name);

  const std::string trouble = listed("missing", missing) + listed("unexpected", left_over) +
                              listed("wrong shape", wrong_shape) + listed("wrong type", wrong_type);
  if (!trouble.empty()) {
    throw DataError(file,
                    "its tensors do not match the model; the file belongs to another model, or a component "
                    "has changed since it was written:" +
                        trouble);
  }
  const torch::NoGradGuard no_grad;
  for (auto& [tensor, source] : pairs) tensor.copy_(source);
}

void write_model_file(const fs::path& file, const Model& model, const recipe::Plan& plan,
                      std::int64_t identities) {
  file::TensorFile content;
  content.tensors = module_tensors(model);
  // Pseudo labels are of the training alone, and where they lie says nothing of the model.
  auto recipe = plan.resolved();
  recipe.as<Table>()->erase("pseudo_labels");
  content.metadata = {{recipe_key, recipe::write_recipe(recipe)},
                      {identities_key, std::to_string(identities)},
                      {version_key, system::kindred_version}};
  file::add_checksum(content);
  file::write_safetensors(file, content);
}

ModelFile read_model_file(const fs::path& file, const Catalog& catalog,
                          const std::vector<std::string>& overrides, MapWatch* watch) {
  const auto content = file::read_safetensors(file);
  for (const char* key : {recipe_key, identities_key}) {
    if (content.metadata.count(key) == 0) {
      throw DataError(file, "is not a model file of Kindred: its metadata has no '" + std::string(key) + "'");
    }
  }
  file::verify_checksum(file, content);
  ModelFile model_file;
  model_file.identities = read_identities(file, content.metadata.at(identities_key));
  model_file.plan = recipe::make_plan(
      recipe::parse_recipe(content.metadata.at(recipe_key), "recipe in " + file.string(), overrides),
      catalog);
  model_file.model = build_model(model_file.plan, model_file.identities, {}, watch);
  load_module(*model_file.model, "", content, file);
  model_file.model->eval();
  return model_file;
}

}  // namespace kindred::model
