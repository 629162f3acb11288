#include "model/model_file.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "file/checksum.h"
#include "file/file_kind.h"
#include "file/finite_numbers.h"
#include "file/folder_entries.h"
#include "kindred/core/error.h"
#include "model/inference_needs.h"
#include "model/random_state.h"
#include "recipe/list_of_tables.h"
#include "recipe/recipe.h"
#include "system/version.h"
#include "text/number_text.h"
#include "text/printable.h"

namespace kindred::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* recipe_key = "kindred.recipe";
constexpr const char* inference_key = "kindred.inference";
constexpr const char* identities_key = "kindred.identities";
constexpr const char* cameras_key = "kindred.cameras";
constexpr const char* views_key = "kindred.views";
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

/// Refuses an override of what only the training uses, which would do nothing.
void require_useful(const std::vector<std::string>& overrides, const std::optional<InferenceNeeds>& needs) {
  const std::vector<std::string> used = {"augmentation", "backbone", "dataset", "embed", "folds",
                                         "head",         "loader",   "machine", "seed",  "train"};
  Diagnostics diagnostics;
  for (const auto& text : overrides) {
    const auto key = text.substr(0, text.find('='));
    const auto dot = key.find('.');
    const auto table = key.substr(0, dot);
    // Of the training, what is computed with the model may have its precision.
    const bool of_training = table == "train" && key != "train.precision";
    if (of_training || std::find(used.begin(), used.end(), table) == used.end()) {
      diagnostics.error({"--set " + text, 0, 0}, "a trained model does not use '" +
                                                     (of_training ? key : table) + "' any more; it uses " +
                                                     quoted_list(used));
      continue;
    }
    if (table != "augmentation" || dot == std::string::npos || !needs) continue;
    const auto entry = key.substr(dot + 1, key.find('.', dot + 1) - dot - 1);
    if (needs->needs_augmentation(entry)) continue;
    diagnostics.error({"--set " + text, 0, 0}, "the augmentation '" + entry +
                                                   "' was used in training alone, or is not in the recipe; "
                                                   "`kindred weights inspect` shows the recipe");
  }
  diagnostics.throw_if_any();
}

/// The model files of a run's folder, or of one of its stages': "a, b"; "" when there are none.
std::string models_in(const fs::path& folder) {
  constexpr std::size_t most = 3;
  constexpr const char* name = "model.safetensors";
  std::vector<fs::path> models;
  std::error_code error;
  if (fs::exists(folder / name, error)) models.push_back(folder / name);
  for (const auto& entry : file::folder_entries(folder, error)) {
    if (models.size() < most && fs::exists(entry / name, error)) models.push_back(entry / name);
  }
  std::sort(models.begin(), models.end());
  std::string text;
  for (const auto& model : models) text += (text.empty() ? "" : ", ") + model.string();
  return text;
}

[[noreturn]] void refuse_metadata(const fs::path& file, const char* key, const std::string& text) {
  throw DataError(file, "is damaged: its '" + std::string(key) + "' is '" + text + "'");
}

std::int64_t read_identities(const fs::path& file, const std::string& text) {
  std::int64_t identities = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), identities);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || identities < 1) {
    refuse_metadata(file, identities_key, text);
  }
  return identities;
}

/// "1 2 5", or "market/1 market/2 msmt/1"
template <class Values, class Text>
std::string words_text(const Values& values, Text text_of) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : " ") + text_of(value);
  return text;
}

/// The words of what words_text() wrote; none where there is no such key.
std::vector<std::string> read_words(const file::TensorFile& content, const char* key) {
  std::vector<std::string> words;
  const auto found = content.metadata.find(key);
  if (found == content.metadata.end()) return words;
  std::size_t begin = 0;
  for (;;) {
    const auto end = found->second.find(' ', begin);
    words.push_back(found->second.substr(begin, end - begin));
    if (end == std::string::npos) return words;
    begin = end + 1;
  }
}

std::optional<std::int64_t> number_in(std::string_view word) {
  std::int64_t number = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool is_number = result.ec == std::errc() && result.ptr == word.data() + word.size() && number >= 0;
  return is_number ? std::optional(number) : std::nullopt;
}

std::vector<std::int64_t> read_views(const fs::path& file, const file::TensorFile& content) {
  std::vector<std::int64_t> views;
  for (const auto& word : read_words(content, views_key)) {
    const auto number = number_in(word);
    if (!number || (!views.empty() && *number <= views.back())) {
      refuse_metadata(file, views_key, content.metadata.at(views_key));
    }
    views.push_back(*number);
  }
  return views;
}

std::vector<Camera> read_cameras(const fs::path& file, const file::TensorFile& content) {
  std::vector<Camera> cameras;
  std::set<std::string> before;  // data sets
  for (const auto& word : read_words(content, cameras_key)) {
    const auto refuse = [&] { refuse_metadata(file, cameras_key, content.metadata.at(cameras_key)); };
    const auto slash = word.find('/');
    const auto dataset = slash == std::string::npos ? "" : word.substr(0, slash);
    const auto number = number_in(std::string_view(word).substr(slash == std::string::npos ? 0 : slash + 1));
    if (!number || slash == 0) refuse();
    if (!cameras.empty() && cameras.back().dataset == dataset) {
      if (*number <= cameras.back().number) refuse();
    } else {
      // Either all have a name or none has, and those of a data set are together.
      const bool is_mixed = !cameras.empty() && (dataset.empty() || cameras.back().dataset.empty());
      if (is_mixed || !before.insert(dataset).second) refuse();
    }
    cameras.emplace_back(dataset, *number);
  }
  return cameras;
}

/// The name of the only data set of a resolved recipe with a list of them; "" where there are more.
std::string only_dataset_of(const Value& recipe) {
  const auto* datasets = recipe.as<Table>()->find("dataset");
  const auto* list = datasets == nullptr ? nullptr : datasets->as<Array>();
  if (list == nullptr) return "";
  std::vector<std::string> names;
  for (const auto& entry : *list) {
    const auto* table = entry.as<Table>();
    const auto* enabled = table == nullptr ? nullptr : table->find("enabled");
    if (enabled == nullptr || !(*enabled == Value(false))) names.push_back(recipe::entry_name(entry));
  }
  return names.size() == 1 ? names.front() : "";
}

/// Bytes; more than networks take by some times.
std::uint64_t building_memory(std::int64_t numbers) {
  constexpr std::uint64_t times = 16;
  constexpr std::uint64_t beyond = 512 << 20;
  return times * sizeof(float) * static_cast<std::uint64_t>(numbers) + beyond;
}

/// Something else that was given as a model file: what it is, and what to do with it.
[[noreturn]] void refuse(const fs::path& file) {
  using file::FileKind;
  const auto kind = file::file_kind(file);
  const auto is = "is " + file::description_of(kind) + ", not a model file of Kindred";
  const auto import = "; import it first: kindred weights import " + file.string() +
                      " --recipe RECIPE --out model.safetensors";
  switch (kind) {
    case FileKind::missing:
      throw DataError(file, "does not exist");
    case FileKind::special:
      throw DataError(file, "is " + file::description_of(kind));
    case FileKind::folder: {
      const auto models = models_in(file);
      throw DataError(file, "is a folder; give a model file" +
                                (models.empty() ? ": NAME.safetensors" : " in it: " + models));
    }
    case FileKind::torch:
    case FileKind::safetensors:
      throw DataError(file, is + import);
    case FileKind::checkpoint:
      throw DataError(file,
                      is + ": it holds a training that can go on. The same command as before continues it, "
                           "and writes model.safetensors at its end");
    case FileKind::torch_script:
      throw DataError(file, is +
                                "; save its tensors in Python, torch.save(torch.jit.load(FILE).state_dict(), "
                                "'weights.pth'), and import those: kindred weights import");
    case FileKind::onnx:
      throw DataError(file,
                      is + ", and is not read; import the PyTorch weights that it was exported from: kindred "
                           "weights import");
    case FileKind::text:
      if (file.extension() == ".toml") {
        throw DataError(file, "is a recipe, not a model file; train its model with `kindred run " +
                                  file.string() + "`, and give the model.safetensors that it writes");
      }
      break;
    case FileKind::npy:
      throw DataError(file, is + ": it holds features; `kindred evaluate` and `kindred match` read those");
    default:
      break;
  }
  throw DataError(file, is);
}

}  // namespace

BuildingLimit::BuildingLimit(std::int64_t numbers, const fs::path& file, const std::string& claim)
    : limit_(
          building_memory(numbers),
          DataError(file, claim + " would need a network that is far larger than its tensors, which hold " +
                              text::grouped_digits(numbers) +
                              " numbers: they do not belong together; use another file")) {}

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

void require_finite(const torch::Tensor& values, const std::string& name, const fs::path& file) {
  if (!values.is_floating_point()) return;
  bool finite = false;
  if (values.scalar_type() == torch::kFloat64) {
    finite = torch::isfinite(values).all().item<bool>();
  } else {
    const auto plain = values.to(torch::kCPU, torch::kFloat32).contiguous();
    finite = file::all_finite(plain.data_ptr<float>(), plain.numel());
  }
  if (finite) return;
  throw DataError(file, "its tensor '" + text::printable(name) +
                            "' contains a number that is not finite (NaN, infinite, or too large for " +
                            std::to_string(8 * values.element_size()) +
                            " bits): it is damaged, or of a training that went wrong; use another file");
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
  struct Pair {
    std::string name;
    torch::Tensor tensor;
    torch::Tensor source;
  };
  std::vector<Pair> pairs;
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
      pairs.push_back({name, tensor, source});
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
  for (const auto& [name, tensor, source] : pairs) {
    require_finite(source.to(tensor.scalar_type()), name, file);
  }
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor, source] : pairs) tensor.copy_(source);
}

void write_model_file(const fs::path& file, const Model& model, const recipe::Plan& plan) {
  file::TensorFile content;
  content.tensors = module_tensors(model);
  // Pseudo labels are of the training alone, and where they lie says nothing of the model.
  auto recipe = plan.resolved();
  recipe.as<Table>()->erase("pseudo_labels");
  content.metadata = {{recipe_key, recipe::write_recipe(recipe)},
                      {inference_key, InferenceNeeds(plan).write()},
                      {identities_key, std::to_string(model.population().identities)},
                      {version_key, system::kindred_version}};
  add_sides(content, model);
  file::add_checksum(content);
  file::write_safetensors(file, content);
}

std::vector<const ComponentInfo*> components_of_model_file(const fs::path& file, const Catalog& catalog) {
  std::vector<const ComponentInfo*> components;
  if (file::file_kind(file) != file::FileKind::model) return components;
  const auto metadata = file::read_safetensors_metadata(file);
  const auto needs = metadata.find(inference_key);
  if (needs == metadata.end()) {
    for (const auto* factory : catalog.components()) components.push_back(&factory->info());
    return components;
  }
  const InferenceNeeds needed(needs->second, file);
  for (const auto& component : needed.components()) {
    const auto* factory = catalog.find(component.role, component.name);
    if (factory != nullptr) components.push_back(&factory->info());
  }
  return components;
}

void add_sides(file::TensorFile& content, const Model& model) {
  const auto& side = model.side_information();
  const auto& population = model.population();
  if (side.cameras) {
    content.metadata[cameras_key] =
        words_text(population.cameras, [](const Camera& camera) { return camera.text(); });
  }
  if (side.views) {
    content.metadata[views_key] =
        words_text(population.views, [](std::int64_t view) { return std::to_string(view); });
  }
}

OtherSides other_sides(const file::TensorFile& content, const Population& population) {
  const auto number_of = [](const std::string& word) { return word.substr(word.rfind('/') + 1); };
  const auto cameras = read_words(content, cameras_key);
  const auto views = read_words(content, views_key);
  OtherSides others;
  for (std::size_t i = 0; i < cameras.size() && cameras.size() == population.cameras.size(); ++i) {
    const auto own = population.cameras[i].text();
    const bool named = own.find('/') != std::string::npos && cameras[i].find('/') != std::string::npos;
    const bool same = named ? own == cameras[i] : number_of(own) == number_of(cameras[i]);
    others.cameras = others.cameras || !same;
  }
  for (std::size_t i = 0; i < views.size() && views.size() == population.views.size(); ++i) {
    others.views = others.views || views[i] != std::to_string(population.views[i]);
  }
  return others;
}

void require_no_data_overrides(const std::vector<std::string>& overrides, const std::string& why) {
  Diagnostics diagnostics;
  for (const auto& text : overrides) {
    const auto key = text.substr(0, text.find('='));
    const auto table = key.substr(0, key.find('.'));
    if ((table != "dataset" && table != "folds") || key.ends_with(".enabled")) continue;
    diagnostics.error({"--set " + text, 0, 0}, "has no effect: " + why);
  }
  diagnostics.throw_if_any();
}

ModelFile read_model_file(const fs::path& file, const Catalog& catalog,
                          const std::vector<std::string>& overrides, MapWatch* watch) {
  const auto kind = file::file_kind(file);
  // Of what is damaged or may not be read, the reader says why.
  const bool readable = kind != file::FileKind::other && kind != file::FileKind::unreadable;
  if (kind != file::FileKind::model && readable) refuse(file);
  const auto content = file::read_safetensors(file);
  for (const char* key : {recipe_key, identities_key}) {
    if (content.metadata.count(key) == 0) {
      throw DataError(file, "is not a model file of Kindred: its metadata has no '" + std::string(key) + "'");
    }
  }
  file::verify_checksum(file, content);
  ModelFile model_file;
  model_file.identities = read_identities(file, content.metadata.at(identities_key));
  std::optional<InferenceNeeds> needs;  // absent: a file of an earlier version
  if (const auto found = content.metadata.find(inference_key); found != content.metadata.end()) {
    needs.emplace(found->second, file);
    needs->require(catalog, file);
    model_file.notes = needs->other_versions(catalog, file);
  }
  require_useful(overrides, needs);
  model_file.recipe =
      recipe::parse_recipe(content.metadata.at(recipe_key), "recipe in " + file.string(), overrides);
  model_file.plan =
      recipe::choose_model(needs ? needs->without_training(model_file.recipe) : model_file.recipe, catalog);
  Population population(model_file.identities);
  population.cameras = read_cameras(file, content);
  population.views = read_views(file, content);
  population.dataset = only_dataset_of(model_file.recipe);
  {
    std::int64_t numbers = 0;
    for (const auto& [name, tensor] : content.tensors) numbers += tensor.numel();
    const BuildingLimit limit(numbers, file,
                              "its recipe, or its '" + std::string(identities_key) + "' of " +
                                  std::to_string(model_file.identities) + ",");
    const RandomStateGuard guard(torch::kCPU);  // the numbers that it begins with are replaced
    model_file.model = build_model(model_file.plan, population, {}, watch);
  }
  load_module(*model_file.model, "", content, file);
  model_file.model->eval();
  return model_file;
}

}  // namespace kindred::model
