// A trained model in one file: weights, the resolved recipe and what else is needed to use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "file/safetensors.h"
#include "kindred/core/catalog.h"
#include "kindred/core/value.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "system/tensor_memory.h"

namespace kindred::model {

/// Metadata: "kindred.recipe" the resolved recipe without [[pseudo_labels]] as TOML, "kindred.inference" what
/// making descriptors needs of it (model/inference_needs.h), "kindred.identities", "kindred.cameras" and
/// "kindred.views" those that it was trained with, where the backbone uses them: numbers, cameras of several
/// data sets with their names, "market/1 market/2 msmt/1"; "kindred.version", "kindred.crc32" a checksum.
/// Equal models give equal bytes: nothing in the file tells when or where.
void write_model_file(const std::filesystem::path& file, const Model& model, const recipe::Plan& plan);

struct ModelFile {
  recipe::ModelPlan plan;
  Value recipe;                    ///< the whole resolved recipe of the training, with the overrides
  std::vector<std::string> notes;  ///< plugins of another version than those that the model was trained with
  std::int64_t identities = 0;
  std::shared_ptr<Model> model;  ///< in evaluation mode, on the CPU
};

/// Every tensor must be there with the right shape and none left over: throws DataError that lists them else,
/// and for a recipe or a number of identities of a far larger network (BuildingLimit).
/// Of the recipe's components only those that inference needs have to be in the catalog; throws PluginError
/// that names the plugins of those that are not.
/// Where the model knows the cameras of several data sets, images are taken to be of the only data set that
/// the overrides leave in its recipe, or else of none of them: Model::find_datasets_in_paths().
/// @param overrides of the resolved recipe, as on the command line; RecipeError for one that inference does
/// not use
/// @param watch keeps the maps of the network (map_watch.h)
[[nodiscard]] ModelFile read_model_file(const std::filesystem::path& file, const Catalog& catalog,
                                        const std::vector<std::string>& overrides, MapWatch* watch = nullptr);

/// The components of the catalog that read_model_file() would use: all of them where the file, of an earlier
/// version, does not say which; none for what is no model file. Throws DataError for a damaged one.
[[nodiscard]] std::vector<const ComponentInfo*> components_of_model_file(const std::filesystem::path& file,
                                                                         const Catalog& catalog);

/// Adds to the metadata of a file that holds the model's tensors, as those of a model file, which cameras and
/// views it was trained with, where its backbone uses them.
void add_sides(file::TensorFile& content, const Model& model);

/// Of a model file or a checkpoint: whether its network was trained with other cameras, or views, than these,
/// though with as many, so that its tensors fit. Cameras of several data sets are compared with those of one
/// by their numbers.
struct OtherSides {
  bool cameras = false;
  bool views = false;
};
[[nodiscard]] OtherSides other_sides(const file::TensorFile& content, const Population& population);

/// Throws RecipeError for an override of the data in a model's recipe ([dataset], [folds]), for one who does
/// not read these data, so that it would do nothing. Leaving data sets out (dataset.NAME.enabled) is none: it
/// says of which data set the images are, as in read_model_file().
/// @param why what is read instead, and what to do: "--data says what is read; ..."
void require_no_data_overrides(const std::vector<std::string>& overrides, const std::string& why);

/// While it lives, this thread builds no network that is far larger than the tensors of a file: what else is
/// in the file says how large a network is to be, and must not make more memory be used than the tensors
/// account for. They may be of half precision; first values, copies and blocks of a backbone that a head does
/// not take add to a network, so several times as much is allowed, and 512 MiB more. Throws DataError from
/// where the network is built.
class BuildingLimit {
 public:
  /// @param numbers of all tensors
  /// @param claim what asks for a network: "its recipe"
  BuildingLimit(std::int64_t numbers, const std::filesystem::path& file, const std::string& claim);

 private:
  system::TensorMemoryLimit limit_;
};

/// "[64, 3, 7, 7]"
[[nodiscard]] std::string shape_text(const torch::Tensor& tensor);

/// Parameters and buffers of a module, each name behind the prefix.
[[nodiscard]] std::vector<std::pair<std::string, torch::Tensor>> module_tensors(
    const torch::nn::Module& module, const std::string& prefix = "");

/// Throws DataError for a floating-point tensor of a file that holds NaN or an infinite number: descriptors
/// would be NaN, too.
/// @param values as the network takes them: a number of the file may be too large for its type
/// @param name what the file calls the tensor
void require_finite(const torch::Tensor& values, const std::string& name, const std::filesystem::path& file);

/// Copies the values of tensors into a module's parameters and buffers; memory format and device stay. Throws
/// DataError that lists, each up to ten, the missing, the left over, the wrongly shaped and the wrongly
/// typed, and as require_finite(); the module is then as before. Floating-point types are converted into each
/// other.
/// @param content looked up and counted as left over: the tensors whose names begin with the prefix
void load_module(torch::nn::Module& module, const std::string& prefix, const file::TensorFile& content,
                 const std::filesystem::path& file);

}  // namespace kindred::model
