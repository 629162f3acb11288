// Arrays and tensors: .npy, features, safetensors, model files, checkpoints, states of optimizers.
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/checksum.h"
#include "file/feature_files.h"
#include "file/feature_shards.h"
#include "file/file_kind.h"
#include "file/npy.h"
#include "file/safetensors.h"
#include "file/sample_list.h"
#include "kindred/search.h"
#include "model/model.h"
#include "model/model_file.h"
#include "progress/progress.h"
#include "recipe/plan.h"
#include "target/targets.h"
#include "tiny_components.h"
#include "training/checkpoint.h"
#include "training/optimizer_state.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

/// Bit by bit: numbers may be NaN.
bool same_bytes(const torch::Tensor& a, const torch::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 || torch::equal(a.contiguous().view(-1).view(torch::kUInt8),
                                         b.contiguous().view(-1).view(torch::kUInt8)));
}

bool accepts_npy(const std::string& bytes) {
  const auto file = fuzz_file("array.npy", bytes);
  return passes([&] {
    const file::NpyReader reader(file);
    const auto all = reader.all();
    if (!reader.shape().empty()) {
      const auto rows = reader.shape()[0];
      const auto parts = torch::cat({reader.rows(0, rows / 2), reader.rows(rows / 2, rows)});
      require(same_bytes(parts, all), "an array read in parts is another one");
    }
    const auto copy = fuzz_folder() / "copy.npy";
    file::write_npy(copy, all);
    require(same_bytes(file::read_npy(copy), all), "an array that was written is read as another one");
  });
}

/// features.npy and features.csv.
bool accepts_features(const std::string& bytes) {
  const auto files = split_files(bytes);
  const FilesOnDisk disk(files);
  const auto stem = disk.folder() / "features";
  const bool read = passes([&] {
    const auto features = file::read_features(stem);
    const file::FeatureReader reader(stem);
    require(torch::equal(reader.rows(0, reader.size()), features.descriptors),
            "features read in rows are others");
    const auto copy = fuzz_folder() / "copy";
    file::write_features(copy, features);
    const auto again = file::read_features(copy);
    require(same_bytes(again.descriptors, features.descriptors) &&
                again.samples.size() == features.samples.size(),
            "features that were written are read as others");
  });
  const bool opened = passes([&] {
    const auto gallery = Gallery::open(disk.folder() / "features.npy", {.read_only = true});
    for (const auto& id : gallery.ids()) static_cast<void>(gallery.info(id));
  });
  // A gallery needs more: ids that differ, descriptors of some length.
  require(read || !opened, "a gallery has features that cannot be read");
  return read;
}

/// features.shards.csv with its arrays, and features.csv.
bool accepts_feature_shards(const std::string& bytes) {
  const FilesOnDisk disk(split_files(bytes));
  const auto stem = disk.folder() / "features";
  static_cast<void>(passes([&] {
    const auto list = file::ShardList::read(file::shard_list_of(stem));
    const auto copy = fuzz_folder() / "copy.shards.csv";
    list.write(copy);
    const auto again = file::ShardList::read(copy);
    const bool same =
        again.dim == list.dim &&
        std::equal(again.shards.begin(), again.shards.end(), list.shards.begin(), list.shards.end(),
                   [](const auto& a, const auto& b) { return a.file == b.file && a.rows == b.rows; });
    require(same, "a list of arrays that was written is read as another one");
  }));
  return passes([&] {
    const auto features = file::read_features(stem);
    const file::FeatureReader reader(stem);
    const auto ends = reader.array_ends();
    require(ends.back() == reader.size() && reader.size() == features.descriptors.size(0),
            "arrays hold another number of rows than all of them");
    std::vector<torch::Tensor> parts;
    std::int64_t begin = 0;
    for (const auto end : ends) {
      parts.push_back(reader.rows(begin, end));
      begin = end;
    }
    require(same_bytes(torch::cat(parts), features.descriptors), "features read array by array are others");
  });
}

bool accepts_safetensors(const std::string& bytes) {
  const auto file = fuzz_file("tensors.safetensors", bytes);
  bool described = false;
  const bool read = passes([&] {
    const auto content = file::read_safetensors(file);
    described = passes([&] { static_cast<void>(file::read_safetensors_metadata(file)); });
    const auto copy = fuzz_folder() / "copy.safetensors";
    file::write_safetensors(copy, content);
    const auto again = file::read_safetensors(copy);
    require(again.metadata == content.metadata, "metadata that were written are read as others");
    require(again.tensors.size() == content.tensors.size(), "tensors that were written are not read");
    for (const auto& [name, tensor] : content.tensors) {
      const auto* found = again.find(name);
      require(found != nullptr && same_bytes(*found, tensor), "a tensor that was written is read as another");
    }
    static_cast<void>(passes([&] { file::verify_checksum(file, content); }));
  });
  require(described || !read, "the metadata of a good file cannot be read");
  return read;
}

bool same_tensors(const file::TensorFile& a, const file::TensorFile& b) {
  return std::is_permutation(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                             [](const auto& one, const auto& other) {
                               return one.first == other.first && same_bytes(one.second, other.second);
                             });
}

/// The content of a file with the checksum set right: without, next to no change would get past it.
fs::path with_checksum(const std::string& bytes, const std::string& name) {
  auto content = file::read_safetensors(fuzz_file("raw.safetensors", bytes));
  file::add_checksum(content);
  const auto file = fuzz_folder() / name;
  file::write_safetensors(file, content);
  return file;
}

const Catalog& tensor_catalog() {
  static const Catalog catalog = test::tiny_catalog();
  return catalog;
}

constexpr const char* tensors_part = "tensors";
constexpr const char* key_prefix = "kindred.";

bool same_tensors(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto of_a = model::module_tensors(a);
  const auto of_b = model::module_tensors(b);
  return std::equal(
      of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), [](const auto& one, const auto& other) {
        return one.first == other.first && same_bytes(one.second.detach(), other.second.detach());
      });
}

/// A model file in parts: the file `tensors`, safetensors, and one for each key of the metadata, such as
/// `recipe`. In one piece they lie behind numbers of bytes, and none could change its length.
bool accepts_model_file(const std::string& bytes) {
  auto parts = split_files(bytes);
  return passes([&] {
    auto content = file::read_safetensors(fuzz_file("raw.safetensors", parts[tensors_part]));
    parts.erase(tensors_part);
    content.metadata.clear();
    for (const auto& [key, text] : parts) content.metadata[key_prefix + key] = text;
    file::add_checksum(content);
    const auto file = fuzz_folder() / "model.safetensors";
    file::write_safetensors(file, content);
    const auto read = model::read_model_file(file, tensor_catalog(), {});
    std::optional<recipe::Plan> plan;
    if (!passes([&] { plan = recipe::make_plan(read.recipe, tensor_catalog()); })) return;
    require(passes([&] {
              const auto copy = fuzz_folder() / "copy.safetensors";
              model::write_model_file(copy, *read.model, *plan);
              const auto again = model::read_model_file(copy, tensor_catalog(), {});
              require(again.identities == read.identities && same_tensors(*again.model, *read.model),
                      "a model that was written is read as another one");
            }),
            "a model that was written cannot be read");
  });
}

bool accepts_checkpoint(const std::string& bytes) {
  return passes([&] {
    const auto file = with_checksum(bytes, "checkpoint.safetensors");
    progress::SilentProgress silent;
    const auto checkpoint = training::read_checkpoint(file, silent);
    require(checkpoint.has_value(), "a checkpoint is there and is not read");
    require(training::read_checkpoint_position(file).has_value(), "a good checkpoint tells no position");
    const auto copy = fuzz_folder() / "copy_checkpoint.safetensors";
    training::write_checkpoint(copy, *checkpoint);
    const auto again = training::read_checkpoint(copy, silent);
    require(again && !again->is_previous && again->epoch == checkpoint->epoch &&
                again->batch == checkpoint->batch && again->identity == checkpoint->identity &&
                again->data == checkpoint->data && again->metrics_position == checkpoint->metrics_position &&
                again->evaluation == checkpoint->evaluation && again->best_score == checkpoint->best_score &&
                again->last_loss == checkpoint->last_loss && again->environment == checkpoint->environment &&
                same_tensors(again->state, checkpoint->state),
            "a checkpoint that was written is read as another one");
  });
}

std::unique_ptr<torch::optim::Optimizer> seed_optimizer() {
  const auto parameters = std::vector<torch::Tensor>{torch::ones({2, 3}), torch::ones({4})};
  for (const auto& parameter : parameters) parameter.mutable_grad() = torch::ones_like(parameter);
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(0.1).amsgrad(true));
}

bool accepts_optimizer_state(const std::string& bytes) {
  return passes([&] {
    const auto file = fuzz_file("optimizer.safetensors", bytes);
    const auto restored = [&](const file::TensorFile& state) {
      const auto optimizer = seed_optimizer();
      training::restore_optimizer_state(*optimizer, state, "optimizer.0", file, torch::kCPU);
      file::TensorFile again;
      training::add_optimizer_state(again, "optimizer.0", *optimizer);
      return again;
    };
    // What the optimizer does not know is left out the first time.
    const auto first = restored(file::read_safetensors(file));
    const auto second = restored(first);
    require(first.tensors.size() == second.tensors.size(), "an optimizer's state is restored in part");
    for (const auto& [name, tensor] : first.tensors) {
      const auto* found = second.find(name);
      require(found != nullptr && same_bytes(*found, tensor), "an optimizer's state is restored as another");
    }
  });
}

/// Whatever a file is, it is said, and its name decides nothing but whether it is taken for an ONNX file.
bool accepts_file_kind(const std::string& bytes) {
  using file::FileKind;
  const auto file = fuzz_file("file", bytes);
  const auto kind = file::file_kind(file);
  require(kind != FileKind::missing && kind != FileKind::folder && kind != FileKind::special &&
              kind != FileKind::unreadable && !file::description_of(kind).empty(),
          "a file is taken for none");
  require((kind == FileKind::empty) == bytes.empty(),
          "an empty file is taken for another, or another for one");
  const auto as_onnx = file::file_kind(fuzz_file("file.onnx", bytes));
  require(as_onnx == kind || as_onnx == FileKind::onnx, "a file is of another kind under another name");
  const bool has_metadata =
      kind == FileKind::model || kind == FileKind::checkpoint || kind == FileKind::safetensors;
  if (has_metadata) {
    require(passes([&] { static_cast<void>(file::read_safetensors_metadata(file)); }),
            "a file is taken for safetensors whose header cannot be read");
  }
  return kind != FileKind::other;
}

std::vector<std::string> npy_seeds() {
  std::vector<std::string> seeds;
  const auto numbers = torch::arange(12).view({3, 4});
  for (const auto type :
       {torch::kFloat16, torch::kFloat32, torch::kFloat64, torch::kInt32, torch::kInt64, torch::kBFloat16}) {
    const auto file = fuzz_folder() / "seed.npy";
    file::write_npy(file, numbers.to(type));
    seeds.push_back(content_of_file(file));
  }
  // Of Fortran order, and with a header of version 2.
  auto fortran = seeds[1];
  const std::string c_order = "'fortran_order': False";
  fortran.replace(fortran.find(c_order), c_order.size(), "'fortran_order': True ");
  seeds.push_back(fortran);
  auto second = seeds[1];
  second[6] = 2;
  second.insert(10, 2, '\0');
  seeds.push_back(second);
  return seeds;
}

std::vector<std::string> features_seeds() {
  std::vector<std::string> seeds;
  for (const auto storage : {file::Storage::float32, file::Storage::float16, file::Storage::bfloat16}) {
    file::Features features;
    features.descriptors = torch::eye(2, 4);
    features.samples = {{"a.png", 1, 2, "day", Split::query}, {"b c.png", 3, 4, "", Split::gallery}};
    const auto stem = fuzz_folder() / "seed";
    file::write_features(stem, features, storage);
    seeds.push_back(join_files({{"features.npy", content_of_file(stem.string() + ".npy")},
                                {"features.csv", content_of_file(stem.string() + ".csv")}}));
  }
  return seeds;
}

std::vector<std::string> feature_shards_seeds() {
  const auto stem = fuzz_folder() / "sharded";
  const auto rows = torch::arange(15).to(torch::kFloat32).view({5, 3});
  file::write_npy(file::shard_file(stem, 0), rows.slice(0, 0, 2));
  file::write_npy(file::shard_file(stem, 1), rows.slice(0, 2, 5).to(torch::kHalf));
  std::vector<Sample> samples;
  for (const char* path : {"a.png", "b.png", "c.png", "d.png", "e.png"})
    samples.push_back({path, 1, 2, "", Split::gallery});
  file::write_sample_list(stem.string() + ".csv", samples);
  file::ShardList{{{"first.npy", 2}, {"more/second.npy", 3}}, 3}.write(file::shard_list_of(stem));
  return {join_files({{"features.shards.csv", content_of_file(file::shard_list_of(stem))},
                      {"features.csv", content_of_file(stem.string() + ".csv")},
                      {"first.npy", content_of_file(file::shard_file(stem, 0))},
                      {"more/second.npy", content_of_file(file::shard_file(stem, 1))}})};
}

std::vector<std::string> safetensors_seeds() {
  const auto file = fuzz_folder() / "seed.safetensors";
  file::TensorFile content;
  const auto numbers = torch::arange(6);
  for (const auto type :
       {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kInt32, torch::kInt64,
        torch::kFloat16, torch::kBFloat16, torch::kFloat32, torch::kFloat64}) {
    content.tensors.emplace_back(std::string("t.") + c10::toString(type), numbers.to(type).view({2, 3}));
  }
  content.tensors.emplace_back("scalar", torch::tensor(1.5F));
  content.tensors.emplace_back("empty", torch::zeros({0, 3}));
  content.metadata["who"] = "a \"test\"";
  file::write_safetensors(file, content);
  const auto plain = content_of_file(file);
  file::add_checksum(content);
  file::write_safetensors(file, content);
  return {plain, content_of_file(file)};
}

std::vector<std::string> model_file_seeds() {
  const auto plan = test::tiny_plan(tensor_catalog());
  const auto file = fuzz_folder() / "seed_model.safetensors";
  model::write_model_file(file, *model::build_model(plan, model::any_population(5)), plan);
  auto content = file::read_safetensors(file);
  Files parts;
  for (const auto& [key, text] : content.metadata)
    parts[key.substr(std::string_view(key_prefix).size())] = text;
  parts["cameras"] = "0 1 17";
  parts.erase("crc32");
  content.metadata.clear();
  file::write_safetensors(file, content);
  parts[tensors_part] = content_of_file(file);
  return {join_files(parts)};
}

std::vector<std::string> checkpoint_seeds() {
  training::Checkpoint checkpoint;
  checkpoint.epoch = 3;
  checkpoint.batch = 7;
  checkpoint.identity = "seed = 3\n";
  checkpoint.data = "0123";
  checkpoint.metrics_position = 4711;
  checkpoint.evaluation = "best_by = \"mAP\"\n";
  checkpoint.best_score = 0.25;
  checkpoint.environment = "LibTorch 1.13.1";
  checkpoint.state.tensors.emplace_back("model.weight", torch::arange(4).to(torch::kFloat32));
  const auto file = fuzz_folder() / "seed_checkpoint.safetensors";
  training::write_checkpoint(file, checkpoint);
  return {content_of_file(file)};
}

std::vector<std::string> optimizer_state_seeds() {
  std::vector<std::string> seeds;
  const auto optimizer = seed_optimizer();
  for (int steps = 0; steps < 2; ++steps) {
    file::TensorFile state;
    training::add_optimizer_state(state, "optimizer.0", *optimizer);
    const auto file = fuzz_folder() / "seed_optimizer.safetensors";
    file::write_safetensors(file, state);
    seeds.push_back(content_of_file(file));
    optimizer->step();
  }
  return seeds;
}

std::vector<std::string> file_kind_seeds() {
  const auto weights = std::string(KINDRED_FUZZ_GOLDEN) + "/weights/";
  const auto plan = test::tiny_plan(tensor_catalog());
  const auto model = fuzz_folder() / "seed_model.safetensors";
  model::write_model_file(model, *model::build_model(plan, model::any_population(5)), plan);
  return {"", "name = \"a recipe\"\n",
          // ir_version, and the name of the program
          std::string("\x08\x08\x12\x07kindred", 11), content_of_file(weights + "no_checksum.pth"),
          content_of_file(weights + "script.pth"), content_of_file(weights + "types_legacy.pth"),
          content_of_file(std::string(KINDRED_FUZZ_GOLDEN) + "/cmyk.jpg"), content_of_file(model),
          npy_seeds().front(), safetensors_seeds().front(), checkpoint_seeds().front()};
}

}  // namespace

void add_tensor_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"npy", accepts_npy, npy_seeds});
  targets.push_back({"features", accepts_features, features_seeds});
  targets.push_back({"feature_shards", accepts_feature_shards, feature_shards_seeds});
  targets.push_back({"safetensors", accepts_safetensors, safetensors_seeds});
  targets.push_back({"model_file", accepts_model_file, model_file_seeds});
  targets.push_back({"file_kind", accepts_file_kind, file_kind_seeds});
  targets.push_back({"checkpoint", accepts_checkpoint, checkpoint_seeds});
  targets.push_back({"optimizer_state", accepts_optimizer_state, optimizer_state_seeds});
}

}  // namespace kindred::fuzz
