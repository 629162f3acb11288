// Names and shapes of other programs' tensors, matched into networks of Kindred's plugins.
#include <torch/torch.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "bnneck.h"
#include "file/safetensors.h"
#include "kindred/core/error.h"
#include "kindred/nn/network_part.h"
#include "kindred/role/backbone.h"
#include "model/model.h"
#include "model/model_file.h"
#include "resnet.h"
#include "target/targets.h"
#include "tiny_components.h"
#include "vit.h"
#include "weights/initial_weights.h"
#include "weights/layouts.h"
#include "weights/matching.h"
#include "weights/weights_file.h"

namespace kindred::fuzz {
namespace {

/// "4x32x3" -> sizes; nothing for something else, and for more numbers than an input may have.
std::optional<std::vector<std::int64_t>> shape_from(const std::string& text, std::int64_t& numbers_left) {
  std::vector<std::int64_t> shape;
  std::int64_t numbers = 1;
  std::int64_t product = 1;  // as of a file, which may have no shape that overflows beside a 0
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t size = 0;
    const auto result = std::from_chars(at, end, size);
    if (result.ec != std::errc() || size < 0) return std::nullopt;
    if (__builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product)) return std::nullopt;
    numbers = numbers == 0 || size == 0 ? 0 : product;
    shape.push_back(size);
    at = result.ptr;
    if (at != end && *at++ != 'x') return std::nullopt;
  }
  constexpr std::size_t most_dimensions = 8;
  if (shape.size() > most_dimensions || product > std::int64_t{1} << 48 || numbers > numbers_left) {
    return std::nullopt;
  }
  numbers_left -= numbers;
  return shape;
}

/// In each line the name of a tensor, its shape and, where it is not of 32-bit floats, its type.
weights::WeightsFile file_from(const std::string& bytes) {
  const std::map<std::string, torch::ScalarType> types = {
      {"F16", torch::kFloat16}, {"F64", torch::kFloat64}, {"I64", torch::kInt64}, {"U8", torch::kUInt8}};
  constexpr std::size_t most = 600;
  std::int64_t numbers_left = 1 << 20;
  weights::WeightsFile file;
  file.file = "weights.pth";
  std::istringstream lines(bytes);
  for (std::string line; std::getline(lines, line) && file.content.tensors.size() < most;) {
    std::istringstream words(line);
    std::string name;
    std::string shape_text;
    std::string type;
    words >> name >> shape_text >> type;
    if (types.contains(shape_text)) std::swap(shape_text, type);  // a single number
    const auto shape = shape_from(shape_text, numbers_left);
    if (name.empty() || !shape || file.content.find(name) != nullptr) continue;
    const auto found = types.find(type);
    const auto value = static_cast<std::int64_t>(file.content.tensors.size() % 100) + 1;
    file.content.tensors.emplace_back(
        name, torch::full(*shape, value,
                          torch::TensorOptions(found == types.end() ? torch::kFloat32 : found->second)));
  }
  return file;
}

const Catalog& network_catalog() {
  static const Catalog made = [] {
    auto catalog = test::tiny_catalog();
    Catalog scratch;
    scratch.add<resnet::Resnet>("resnet");
    scratch.add<vit::Vit>("vit");
    scratch.add<bnneck::Bnneck>("bnneck");
    catalog.merge(std::move(scratch), "networks", "networks.so");
    return catalog;
  }();
  return made;
}

/// For two identities, and once for all inputs: what is in it does not matter.
struct Network {
  explicit Network(const std::string& backbone_table)
      : plan(test::tiny_plan(network_catalog(), {"backbone=" + backbone_table, "head={type='bnneck'}",
                                                 "loss=[{type='entropy',on=['logits']}]"})),
        whole(model::build_model(plan, model::any_population(),
                                 [&](Backbone& made) { backbone = made.trunk(made.blocks().back()); })) {}

  recipe::Plan plan;
  std::shared_ptr<NetworkPart> backbone;
  std::shared_ptr<model::Model> whole;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> made = {
      Network("{type='resnet',depth=18,width_multiplier=0.125}"),
      Network("{type='vit',dim=32,depth=2,heads=4,image_height=64,image_width=32}")};
  return made;
}

/// Puts the file into a network, or into its backbone. @return whether it fits
bool fills(const weights::WeightsFile& file, const recipe::Plan& plan, torch::nn::Module& module,
           const std::string& prefix) {
  const auto weights = weights::translate_for(file, weights::known_layouts(plan), module, prefix);
  const auto report = weights::match_weights(weights, module, prefix, {});
  static_cast<void>(weights::trouble_text(report) + report.counts_text() + report.layout_text());
  static_cast<void>(report.lacks_the_head_alone());
  weights::copy_weights(weights, module, prefix);
  std::map<std::string, torch::Tensor> sources;
  for (const auto& entry : weights.tensors) sources.emplace(entry.name, entry.tensor);
  std::map<std::string, torch::Tensor> network;
  for (auto& [name, tensor] : model::module_tensors(module, prefix)) network.emplace(name, tensor.detach());
  for (const auto& row : report.rows) {
    if (row.state != weights::TensorState::matched) continue;
    const auto& tensor = network.at(row.name);
    require(torch::equal(tensor, sources.at(row.name).to(tensor.scalar_type())),
            "a tensor that matches is not in the network");
  }
  return report.complete();
}

/// What was put into a network is read again from a file of its own.
void require_read_again(const recipe::Plan& plan, const model::Model& filled) {
  const auto copy = fuzz_folder() / "copy.safetensors";
  file::write_safetensors(copy, {model::module_tensors(filled), {}});
  const auto again = model::build_model(plan, filled.population());
  require(fills(weights::read_weights_file(copy), plan, *again, ""),
          "tensors that a network has do not fit it again");
  const auto tensors = model::module_tensors(*again);
  const auto expected = model::module_tensors(filled);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    require(torch::equal(tensors[i].second, expected[i].second),
            "a tensor that was written is read as another");
  }
}

bool fits_network(const weights::WeightsFile& file, const Network& network) {
  const auto& plan = network.plan;
  bool fits = fills(file, plan, *network.whole, "");
  if (fits) require_read_again(plan, *network.whole);
  const auto weights = weights::translate_for(file, weights::known_layouts(plan), *network.whole, "");
  const auto report = weights::match_weights(weights, *network.whole, "", {});
  // Of what has no place in it, no network for other identities is built.
  if (report.count(weights::TensorState::unused) > 0) return fits;
  auto demanding = plan;
  if (weights.layout) {
    static_cast<void>(
        weights::demands_text(weights::meet_demands(demanding, *weights.layout, file.file, true)));
  }
  static_cast<void>(weights::patterns_for_other_identities(plan, report));
  const auto other = weights::build_for_identities_of(plan, *network.whole, weights, file.file);
  if (other) fits |= fills(file, plan, *other, "");
  return fits;
}

bool accepts_weights_match(const std::string& bytes) {
  const auto file = file_from(bytes);
  static_cast<void>(passes(
      [&] { static_cast<void>(weights::translate(file, weights::known_layouts(network_catalog()))); }));
  bool accepted = false;
  for (const auto& network : networks()) {
    bool fits = false;
    static_cast<void>(passes([&] { fits = fits_network(file, network); }));
    accepted |= fits;
    static_cast<void>(
        passes([&] { fits = fills(file, network.plan, *network.backbone, weights::backbone_prefix); }));
    accepted |= fits;
  }
  return accepted;
}

std::string line_of(const std::string& name, const torch::Tensor& tensor) {
  std::string line = name + " ";
  for (const auto size : tensor.sizes()) line += (line.ends_with(' ') ? "" : "x") + std::to_string(size);
  return line + (tensor.is_floating_point() ? "\n" : " I64\n");
}

std::vector<std::string> weights_match_seeds() {
  std::vector<std::string> seeds;
  // Kindred's own, of five identities, and a backbone of torchvision.
  for (const auto& network : networks()) {
    std::string lines;
    for (const auto& [name, tensor] : model::module_tensors(*model::build_model(network.plan, 5))) {
      lines += line_of(name, tensor);
    }
    seeds.push_back(lines);
  }
  std::string torchvision = "fc.weight 1000x512\nfc.bias 1000\n";
  for (const auto& [name, tensor] : model::module_tensors(*networks()[0].whole)) {
    const std::string prefix = weights::backbone_prefix;
    if (name.starts_with(prefix)) torchvision += line_of("module." + name.substr(prefix.size()), tensor);
  }
  seeds.push_back(torchvision);
  return seeds;
}

}  // namespace

void add_weights_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"weights_match", accepts_weights_match, weights_match_seeds});
}

}  // namespace kindred::fuzz
