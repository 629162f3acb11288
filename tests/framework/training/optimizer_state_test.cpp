#include "training/optimizer_state.h"

#include <c10/core/MemoryFormat.h>
#include <doctest/doctest.h>
#include <torch/nn/modules/conv.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/serialize.h>
#include <torch/optim/sgd.h>
#include <torch/serialize.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

using Parameters = std::vector<torch::Tensor>;

file::TensorFile state_of(const torch::optim::Optimizer& optimizer) {
  file::TensorFile state;
  add_optimizer_state(state, "optimizer.0", optimizer);
  return state;
}

/// Through a file, as in another process.
file::TensorFile reread(const file::TensorFile& state) {
  const TemporaryFolder folder;
  file::write_safetensors(folder / "state.safetensors", state);
  return file::read_safetensors(folder / "state.safetensors");
}

void restore(torch::optim::Optimizer& optimizer, const file::TensorFile& state) {
  restore_optimizer_state(optimizer, state, "optimizer.0", "there.safetensors", torch::kCPU);
}

/// Channels last, as networks are trained.
torch::nn::Conv2d made_module() {
  torch::manual_seed(1);
  torch::nn::Conv2d module(torch::nn::Conv2dOptions(3, 4, 3));
  module->weight.set_data(module->weight.contiguous(torch::MemoryFormat::ChannelsLast));
  return module;
}

template <class Optimizer>
void make_step(Optimizer& optimizer, torch::nn::Conv2d& module, int step) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(0.1 / (step + 1));
  for (auto& parameter : module->parameters()) parameter.mutable_grad().reset();
  module(torch::ones({1, 3, 4, 4})).pow(2).sum().backward();
  optimizer.step();
}

/// Two trainings of the same steps, one of which goes through its saved state in the middle, are equal bit by
/// bit.
template <class Make>
void check_state_of(Make make) {
  const auto run = [&](bool through_state) {
    auto module = made_module();
    auto optimizer = make(module->parameters());
    for (int step = 0; step < 6; ++step) {
      if (through_state && step == 3) {
        const auto state = reread(state_of(*optimizer));
        optimizer = make(module->parameters());
        restore(*optimizer, state);
      }
      make_step(*optimizer, module, step);
    }
    return module->weight.detach().clone();
  };
  CHECK(torch::equal(run(false), run(true)));
}

std::unique_ptr<torch::optim::Optimizer> adam(const Parameters& parameters) {
  return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(0.1).amsgrad(true));
}

/// Of a few steps of adam().
file::TensorFile adam_state(int steps = 2) {
  auto module = made_module();
  const auto optimizer = adam(module->parameters());
  for (int step = 0; step < steps; ++step) make_step(*optimizer, module, step);
  return reread(state_of(*optimizer));
}

torch::Tensor& tensor_of(file::TensorFile& state, const std::string& name) {
  const auto found = std::find_if(state.tensors.begin(), state.tensors.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  REQUIRE_MESSAGE(found != state.tensors.end(), name);
  return found->second;
}

/// What is said to such a state for adam() after a change.
template <class Change>
std::string refusal_after(Change change) {
  auto state = adam_state();
  change(state);
  auto module = made_module();
  const auto optimizer = adam(module->parameters());
  const auto message = message_of<DataError>([&] { restore(*optimizer, state); });
  const std::string begin = "there.safetensors: error: is not a checkpoint of this training: ";
  CHECK(message.rfind(begin, 0) == 0);
  return message.substr(std::min(begin.size(), message.size()));
}

// An optimizer as a plugin may have it, with a state of its own: tensors of other shapes than the
// parameter's, numbers, truth values, and values of no parameter.

struct RowOptions : torch::optim::OptimizerCloneableOptions<RowOptions> {
  explicit RowOptions(double lr) : lr_(lr) {}
  TORCH_ARG(double, lr);

 public:
  void serialize(torch::serialize::InputArchive& archive) override {
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(double, lr);
  }
  void serialize(torch::serialize::OutputArchive& archive) const override {
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(lr);
  }
  [[nodiscard]] double get_lr() const override { return lr_; }
  void set_lr(double lr) override { lr_ = lr; }
};

struct RowState : torch::optim::OptimizerCloneableParamState<RowState> {
  TORCH_ARG(torch::Tensor, rows);
  TORCH_ARG(double, decay) = 0.5;
  TORCH_ARG(bool, odd) = false;
  TORCH_ARG(int64_t, age) = 0;

 public:
  void serialize(torch::serialize::InputArchive& archive) override {
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(torch::Tensor, rows);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(double, decay);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(bool, odd);
    _TORCH_OPTIM_DESERIALIZE_TORCH_ARG(int64_t, age);
  }
  void serialize(torch::serialize::OutputArchive& archive) const override {
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(rows);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(decay);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(odd);
    _TORCH_OPTIM_SERIALIZE_TORCH_ARG(age);
  }
};

/// As LibTorch has it: text up to 1.13, since then the place itself.
template <class States>
typename States::key_type key_in(const States& /*states*/, const torch::Tensor& parameter) {
  if constexpr (std::is_same_v<typename States::key_type, std::string>) {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return text.str();
  } else {
    return parameter.unsafeGetTensorImpl();
  }
}

class RowOptimizer final : public torch::optim::Optimizer {
 public:
  explicit RowOptimizer(Parameters parameters)
      : Optimizer(std::move(parameters), std::make_unique<RowOptions>(0.1)) {}

  torch::Tensor step(LossClosure /*closure*/ = nullptr) override {
    const torch::NoGradGuard no_grad;
    for (auto& group : param_groups()) {
      for (auto& parameter : group.params()) {
        auto& kept = state()[key_in(state(), parameter)];
        if (kept == nullptr) {
          kept = std::make_unique<RowState>();
          static_cast<RowState&>(*kept).rows(torch::zeros({parameter.size(0)}));
        }
        auto& own = static_cast<RowState&>(*kept);
        const auto& gradient = parameter.grad();
        own.rows(own.rows() * own.decay() + gradient.reshape({gradient.size(0), -1}).square().mean(1));
        own.age(own.age() + 1).odd(!own.odd()).decay(own.decay() * 0.9);
        auto sizes = std::vector<std::int64_t>(static_cast<std::size_t>(parameter.dim()), 1);
        sizes[0] = -1;
        parameter.sub_(gradient / (own.rows().view(sizes).sqrt() + 1), own.odd() ? 0.1 : 0.2);
        distance_ += gradient.norm();
      }
    }
    parameters_moved(++rounds_);
    return {};
  }

  void save(torch::serialize::OutputArchive& archive) const override {
    torch::optim::serialize<RowState, RowOptions>(archive, *this);
    archive.write("distance", distance_, /*is_buffer=*/true);
    archive.write("rounds", c10::IValue(rounds_));
  }
  void load(torch::serialize::InputArchive& archive) override {
    torch::optim::serialize<RowState, RowOptions>(archive, *this);
    archive.read("distance", distance_, /*is_buffer=*/true);
    c10::IValue rounds;
    archive.read("rounds", rounds);
    rounds_ = rounds.toInt();
  }

 private:
  /// Every third step is a longer one.
  void parameters_moved(std::int64_t round) {
    if (round % 3 != 0) return;
    for (auto& parameter : param_groups()[0].params()) parameter.mul_(1 - 1e-3 * distance_.item<double>());
  }

  torch::Tensor distance_ = torch::zeros({});
  std::int64_t rounds_ = 0;
};

class Saver final : public torch::optim::Optimizer {
 public:
  using Save = std::function<void(torch::serialize::OutputArchive&)>;
  explicit Saver(Save save)
      : Optimizer(Parameters{torch::ones(1)}, std::make_unique<RowOptions>(0.1)), save_(std::move(save)) {}
  torch::Tensor step(LossClosure /*closure*/ = nullptr) override { return {}; }
  void save(torch::serialize::OutputArchive& archive) const override { save_(archive); }

 private:
  Save save_;
};

}  // namespace

TEST_CASE("optimizers go on from their state bit for bit, learning rates set by the caller") {
  check_state_of([](const Parameters& parameters) {
    return std::make_unique<torch::optim::SGD>(
        parameters, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
  });
  check_state_of(adam);
  check_state_of([](const Parameters& parameters) {
    return std::make_unique<torch::optim::AdamW>(parameters, torch::optim::AdamWOptions(0.1));
  });
  check_state_of([](const Parameters& parameters) {
    return std::make_unique<torch::optim::RMSprop>(
        parameters, torch::optim::RMSpropOptions(0.1).momentum(0.9).centered(true));
  });
  check_state_of([](const Parameters& parameters) {
    return std::make_unique<torch::optim::Adagrad>(parameters, torch::optim::AdagradOptions(0.1));
  });
}

TEST_CASE("an optimizer whose state is of a class of its own goes on from it bit for bit") {
  check_state_of([](const Parameters& parameters) { return std::make_unique<RowOptimizer>(parameters); });
}

TEST_CASE("a state is plain values, the same for the same training") {
  auto state = adam_state();
  CHECK(torch::equal(tensor_of(state, "optimizer.0"), torch::tensor({8L, 2L})));
  CHECK(tensor_of(state, "optimizer.0.0.step.int").item<std::int64_t>() == 2);
  CHECK(tensor_of(state, "optimizer.0.0.exp_avg").sizes() == std::vector<std::int64_t>{4, 3, 3, 3});
  CHECK(tensor_of(state, "optimizer.0.1.max_exp_avg_sq").sizes() == std::vector<std::int64_t>{4});
  const auto again = adam_state();
  REQUIRE(again.tensors.size() == state.tensors.size());
  for (std::size_t i = 0; i < again.tensors.size(); ++i) {
    CHECK(again.tensors[i].first == state.tensors[i].first);
    CHECK(torch::equal(again.tensors[i].second, state.tensors[i].second));
  }
}

TEST_CASE("a restored state lies in memory as its parameter does") {
  auto module = made_module();
  const auto optimizer = adam(module->parameters());
  restore(*optimizer, adam_state());
  REQUIRE(optimizer->state().size() == 2);
  for (const auto& [key, kept] : optimizer->state()) {
    const auto& average = static_cast<const torch::optim::AdamParamState&>(*kept).exp_avg();
    if (average.dim() == 4) CHECK(average.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("an optimizer that has made no step has a state too") {
  CHECK(adam_state(0).tensors.size() == 1);
  auto module = made_module();
  const auto optimizer = adam(module->parameters());
  restore(*optimizer, adam_state(0));
  CHECK(optimizer->state().empty());
}

TEST_CASE("a momentum of sparse gradients is kept as a dense one") {
  const auto weights = torch::ones({3, 2}).set_requires_grad(true);
  torch::optim::SGD optimizer({weights}, torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::embedding(weights, torch::tensor({2L}), -1, false, true).sum().backward();
  optimizer.step();
  auto state = reread(state_of(optimizer));
  const auto expected = torch::tensor({{0.F, 0.F}, {0.F, 0.F}, {1.F, 1.F}});
  CHECK(torch::equal(tensor_of(state, "optimizer.0.0.momentum_buffer"), expected));
}

TEST_CASE("an archive of LibTorch, which can hold code, is no state") {
  auto module = made_module();
  const auto optimizer = adam(module->parameters());
  std::ostringstream stream;
  torch::save(*optimizer, stream);
  const auto bytes = stream.str();
  const auto archive = torch::empty({static_cast<std::int64_t>(bytes.size())}, torch::kUInt8);
  std::memcpy(archive.data_ptr(), bytes.data(), bytes.size());
  const file::TensorFile state{{{"optimizer.0", archive}}, {}};
  CHECK(
      message_of<DataError>([&] { restore(*optimizer, state); }) ==
      "there.safetensors: error: is not a checkpoint of this training: its 'optimizer.0' does not count the "
      "values of an optimizer");
}

TEST_CASE("names from a file are never part of code") {
  for (const char* key : {"x\"] = Tensor\n  def __setstate__(self", "x y", "__parameters__", "x.y", "", "x\n",
                          "\"", "\u00e9"}) {
    CAPTURE(key);
    const auto message = refusal_after([&](auto& state) {
      state.tensors.emplace_back("optimizer.0.0." + std::string(key), torch::ones(1));
    });
    CHECK(message.find("' is no value of an optimizer") != std::string::npos);
  }
}

TEST_CASE("a state that is damaged or another optimizer's is refused, and says where") {
  const auto with = [](const std::string& name, const torch::Tensor& tensor) {
    return refusal_after([&](auto& state) { tensor_of(state, name) = tensor; });
  };
  CHECK(refusal_after([](auto& state) { state.tensors.clear(); }) == "it has no 'optimizer.0'");
  CHECK(refusal_after([](auto& state) { state.tensors.pop_back(); }) ==
        "it has 7 values of 'optimizer.0' instead of 8");
  CHECK(with("optimizer.0", torch::tensor({8L, 1L, 1L})) ==
        "its 'optimizer.0' is of an optimizer of other parameters");
  CHECK(with("optimizer.0", torch::tensor({8L, 3L})) ==
        "its 'optimizer.0' is of an optimizer of other parameters");
  CHECK(with("optimizer.0", torch::ones({2})) ==
        "its 'optimizer.0' does not count the values of an optimizer");
  CHECK(with("optimizer.0", torch::zeros({0}, torch::kInt64)) ==
        "its 'optimizer.0' does not count the values of an optimizer");
  CHECK(with("optimizer.0.1.exp_avg", torch::ones({5})) ==
        "its 'optimizer.0.1.exp_avg' is Float [5], its parameter Float [4]");
  CHECK(with("optimizer.0.1.exp_avg", torch::ones({4}, torch::kFloat64)) ==
        "its 'optimizer.0.1.exp_avg' is Double [4], its parameter Float [4]");
  CHECK(with("optimizer.0.1.step.int", torch::ones({})) ==
        "its 'optimizer.0.1.step.int' is no value of an optimizer");
  CHECK(with("optimizer.0.1.step.int", torch::tensor({2L})) ==
        "its 'optimizer.0.1.step.int' is no value of an optimizer");
  // One more would overflow.
  CHECK(with("optimizer.0.1.step.int", torch::tensor(INT64_MAX, torch::kInt64)) ==
        "its 'optimizer.0.1.step.int' is no value of an optimizer");

  const auto renamed = [](const std::string& name, const std::string& other) {
    return refusal_after([&](auto& state) {
      for (auto& entry : state.tensors) {
        if (entry.first == name) entry.first = other;
      }
    });
  };
  CHECK(renamed("optimizer.0.1.exp_avg", "optimizer.0.2.exp_avg") ==
        "its 'optimizer.0.2.exp_avg' is no value of an optimizer");
  CHECK(renamed("optimizer.0.1.exp_avg", "optimizer.0.1") ==
        "its 'optimizer.0.1' is no value of an optimizer");
  CHECK(renamed("optimizer.0.1.exp_avg", "optimizer.0.00.exp_avg") ==
        "its 'optimizer.0.00.exp_avg' is Float [4], its parameter Float [4, 3, 3, 3]");
  CHECK(renamed("optimizer.0.1.step.int", "optimizer.0.00.step.int") ==
        "its 'optimizer.0.00.step.int' comes twice");
  // What only the optimizer can tell.
  for (const char* other : {"optimizer.0.1.steps.int", "optimizer.0.state", "optimizer.0.pytorch_version"}) {
    CAPTURE(other);
    CHECK(renamed("optimizer.0.1.step.int", other).find("its 'optimizer.0' does not fit the optimizer: ") ==
          0);
  }
  CHECK(refusal_after([](auto& state) {
          for (int i = 0; i < 200; ++i) {
            state.tensors.emplace_back("optimizer.0.1.more" + std::to_string(i), torch::ones(1));
          }
        }) == "its 'optimizer.0.1.more96' is one of too many");
}

TEST_CASE("what a checkpoint cannot hold is an error when it is saved") {
  const auto message = [](const Saver::Save& save) {
    return message_of<Error>([&] { static_cast<void>(state_of(Saver(save))); });
  };
  CHECK(message([](auto& archive) {
          archive.write("kept", c10::IValue(std::vector<std::int64_t>{1, 2}));
        }) ==
        "its state has 'kept', which is of the type List[int]; a checkpoint can hold tensors, integers, "
        "floating-point numbers and truth values");
  CHECK(message([](auto& archive) {
          archive.write("odd name", c10::IValue(1.5));
        }).find("its state has a value 'odd name'; names in it must be ") == 0);
  CHECK(message([](auto& archive) {
          torch::serialize::OutputArchive inner(archive.compilation_unit());
          inner.write("x", c10::IValue(1.5));
          archive.write("kept", inner);
        }).find("its state has 'kept', which holds values of its own; ") == 0);
  CHECK(message([](auto& archive) { archive.write("good", c10::IValue(1.5)); }).empty());
}
