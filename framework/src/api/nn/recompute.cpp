#include "kindred/nn/recompute.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "torch_version.h"

namespace kindred {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Part = std::function<torch::Tensor(const torch::Tensor&)>;

// The state of LibTorch's generator of a device.
class GeneratorState {
 public:
  explicit GeneratorState(torch::Device device) : generator_(at::globalContext().defaultGenerator(device)) {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    state_ = generator_.get_state();
  }
  void restore() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    generator_.set_state(state_);
  }

 private:
  at::Generator generator_;
  torch::Tensor state_;
};

// All that decides what a part computes beside its input and its parameters.
class Surroundings {
 public:
  Surroundings(torch::Device device, const std::shared_ptr<RandomStream>& random)
      : device_(device.type()),
        autocast_(autocast_enabled(device_)),
        type_(autocast_type(device_)),
        cache_(at::autocast::is_autocast_cache_enabled()),
        random_(random) {
    generators_.emplace_back(torch::Device(torch::kCPU));
    if (device.is_cuda()) generators_.emplace_back(device);
    if (random_ != nullptr) stream_ = *random_;
  }
  void restore() {
    set_autocast(device_, autocast_, type_);
    at::autocast::set_autocast_cache_enabled(cache_);
    for (auto& generator : generators_) generator.restore();
    if (random_ != nullptr) *random_ = *stream_;
  }

 private:
  torch::DeviceType device_;
  bool autocast_;
  torch::ScalarType type_;
  bool cache_;
  std::vector<GeneratorState> generators_;
  std::shared_ptr<RandomStream> random_;
  std::optional<RandomStream> stream_;
};

// Puts the present ones back, also after an error.
class KeptSurroundings {
 public:
  KeptSurroundings(torch::Device device, const std::shared_ptr<RandomStream>& random)
      : now_(device, random) {}
  ~KeptSurroundings() { now_.restore(); }
  KeptSurroundings(const KeptSurroundings&) = delete;
  KeptSurroundings& operator=(const KeptSurroundings&) = delete;

 private:
  Surroundings now_;
};

// Weights that autocast converts while no gradient is recorded must not be kept for what comes after.
class NoAutocastCache {
 public:
  NoAutocastCache() : before_(at::autocast::is_autocast_cache_enabled()) {
    at::autocast::set_autocast_cache_enabled(false);
  }
  ~NoAutocastCache() { at::autocast::set_autocast_cache_enabled(before_); }
  NoAutocastCache(const NoAutocastCache&) = delete;
  NoAutocastCache& operator=(const NoAutocastCache&) = delete;

 private:
  bool before_;
};

struct Work final : torch::CustomClassHolder {
  Work(Part part_to_run, torch::Device device, std::shared_ptr<RandomStream> stream)
      : part(std::move(part_to_run)), random(std::move(stream)), before(device, random) {}
  Part part;
  std::shared_ptr<RandomStream> random;
  Surroundings before;
};

struct Recompute final : torch::autograd::Function<Recompute> {
  // `gate` needs a gradient, so that the result does, whatever the input does.
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& /*gate*/, const c10::intrusive_ptr<Work>& work) {
    context->save_for_backward({input});
    context->saved_data["work"] = c10::IValue::make_capsule(work);
    context->saved_data["needs_gradient"] = input.requires_grad();
    const NoAutocastCache no_cache;
    return work->part(input);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    if (!torch::autograd::Engine::get_default_engine().is_checkpoint_valid()) {
      throw std::logic_error(
          "a recomputed part gives its gradients with backward() alone, not with autograd::grad()");
    }
    const auto capsule = context->saved_data["work"].toCapsule();
    auto& work = static_cast<Work&>(*capsule);
    const auto input = context->get_saved_variables().at(0).detach().requires_grad_(
        context->saved_data["needs_gradient"].toBool());
    torch::Tensor output;
    {
      const KeptSurroundings kept(input.device(), work.random);
      const torch::AutoGradMode recording(true);
      work.before.restore();
      const NoAutocastCache no_cache;
      output = work.part(input);
    }
    if (output.requires_grad()) torch::autograd::backward({output}, {gradients.at(0)});
    return {input.grad(), torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor recomputed(const Part& part, const torch::Tensor& input,
                         const std::shared_ptr<RandomStream>& random) {
  if (!torch::GradMode::is_enabled()) return part(input);
  const auto gate = torch::empty({0}, torch::requires_grad());
  return Recompute::apply(input, gate, c10::make_intrusive<Work>(part, input.device(), random));
}

bool needs_gradients(const torch::nn::Module& module, const torch::Tensor& input) {
  const auto parameters = module.parameters();
  return input.requires_grad() ||
         std::any_of(parameters.begin(), parameters.end(),
                     [](const auto& parameter) { return parameter.requires_grad(); });
}

}  // namespace kindred
