#include "command/checkup.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "command/checkup_steps.h"
#include "kindred/core/error.h"
#include "kindred/role/labeler.h"
#include "kindred/role/metric.h"
#include "progress/progress.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::test;

namespace {

progress::SilentProgress quiet;

const Check* find(const std::vector<Check>& checks, const std::string& name) {
  const auto found =
      std::find_if(checks.begin(), checks.end(), [&](const Check& check) { return check.name == name; });
  return found == checks.end() ? nullptr : &*found;
}

/// Its numbers depend on where the pixels lie in memory, as those of a broken device would.
class LayoutTrunk final : public TensorModule {
 public:
  LayoutTrunk() : conv_(register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 16, 3)))) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    const auto map = conv_(input);
    return input.is_contiguous() ? map : map * torch::linspace(0.99, 1.01, 16).view({1, 16, 1, 1});
  }

 private:
  torch::nn::Conv2d conv_;
};

/// A network of one block of 16 channels.
class BlockBackbone : public Backbone {
 public:
  explicit BlockBackbone(std::shared_ptr<NetworkPart> trunk) : trunk_(std::move(trunk)) {}
  [[nodiscard]] std::vector<std::string> blocks() const override { return {"all"}; }
  [[nodiscard]] std::int64_t channels() const override { return 16; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return nullptr;
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
};

class LayoutBackbone final : public BlockBackbone {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Depends on the layout of memory."); }
  LayoutBackbone(const Params&, const Context&) : BlockBackbone(std::make_shared<LayoutTrunk>()) {}
};

/// Computes nothing but NaN, always.
class LostTrunk final : public TensorModule {
 public:
  LostTrunk() : conv_(register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 16, 3)))) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    return conv_(input) * std::numeric_limits<double>::quiet_NaN();
  }

 private:
  torch::nn::Conv2d conv_;
};

class LostBackbone final : public BlockBackbone {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Gives NaN."); }
  LostBackbone(const Params&, const Context&) : BlockBackbone(std::make_shared<LostTrunk>()) {}
};

/// Its first figure is there with one thread alone.
class LonelyMetric final : public Metric {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Wants to be alone."); }
  static constexpr int default_order = 0;
  LonelyMetric(const Params&, const Context&) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {{.name = "alone", .label = "alone", .doc = "alone", .prominence = Prominence::headline},
            {.name = "steady", .label = "steady", .doc = "always the same"}};
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>&) const override {
    const bool alone = at::get_num_threads() == 1;
    return {{alone ? 0.5 : std::numeric_limits<double>::quiet_NaN(), 0.25}, {}, {}};
  }
};

/// Fits no backbone.
class ProudHead final : public Head {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Fits nothing."); }
  ProudHead(const Params&, const Context&) { throw ComponentError("head/proud", "wants another backbone"); }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return nullptr; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override { return {}; }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations&) override { return {}; }
};

/// Other identities each time.
class MoodyLabeler final : public Labeler {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Has moods."); }
  MoodyLabeler(const Params&, const Context&) {}
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost&) const override {
    PseudoLabels labels;
    for (std::int64_t i = 0; i < images.descriptors.size(0); ++i)
      labels.identities.push_back(i % (2 + mood_));
    ++mood_;
    return labels;
  }

 private:
  mutable std::int64_t mood_ = 0;
};

}  // namespace

TEST_CASE("what a check throws is its failure, with the message, and the others go on") {
  CheckList list(quiet);
  list.check("breaks", "no error", []() -> CheckList::Finding { throw std::runtime_error("it is broken"); });
  list.check("holds", "1", [] { return CheckList::Finding{"1", true, "not said"}; });
  list.check("fact", "", [] { return CheckList::Finding{"2", {}}; });
  list.leave_out("other", "not here");
  Checkup checkup;
  checkup.device = "cpu: a processor";
  checkup.checks = list.take();
  REQUIRE(checkup.checks.size() == 4);
  CHECK(checkup.checks[0].result == Check::Result::failed);
  CHECK(checkup.checks[0].note == "it is broken");
  CHECK(checkup.checks[1].result == Check::Result::ok);
  CHECK(checkup.checks[2].result == Check::Result::told);
  CHECK(checkup.checks[3].result == Check::Result::left_out);
  CHECK_FALSE(checkup.passed());

  const auto text = checkup_text(checkup);
  CHECK(text.find("FAILED") != std::string::npos);
  CHECK(text.find("breaks: it is broken\n") != std::string::npos);
  CHECK(text.find("not said") == std::string::npos);
  CHECK(text.find("cpu: a processor; 0 s; 1 failed\n") != std::string::npos);
  const auto json = nlohmann::json::parse(checkup_json(checkup));
  CHECK(json["passed"] == false);
  CHECK(json["checks"][0]["result"] == "FAILED");
  CHECK(json["checks"][3]["found"] == "not here");
  checkup.checks.erase(checkup.checks.begin());
  CHECK(checkup.passed());
}

TEST_CASE("a network that computes alike in both ways is ok, one that does not is found") {
  auto catalog = tiny_catalog();
  CheckList list(quiet);
  check_networks(catalog, torch::kCPU, list);
  for (const auto& check : list.take()) {
    INFO(check.name << ": " << check.figure << ", " << check.note);
    CHECK(check.result == Check::Result::ok);
  }
  Catalog broken;
  broken.add<LayoutBackbone>("layout");
  broken.add<TinyHead>("tiny");
  broken.add<ProudHead>("proud");
  CheckList of_broken(quiet);
  check_networks(broken, torch::kCPU, of_broken);
  const auto checks = of_broken.take();
  const auto* network = find(checks, "network layout + tiny");
  REQUIRE(network != nullptr);
  CHECK(network->result == Check::Result::failed);
  CHECK(network->note.find("differ by more than that") != std::string::npos);
  const auto* proud = find(checks, "network proud");
  REQUIRE(proud != nullptr);
  CHECK(proud->result == Check::Result::failed);
  CHECK(proud->note.find("wants another backbone") != std::string::npos);
}

TEST_CASE("a network that gives NaN in both ways is no network that computes alike") {
  Catalog lost;
  lost.add<LostBackbone>("lost");
  lost.add<TinyHead>("tiny");
  CheckList list(quiet);
  check_networks(lost, torch::kCPU, list);
  const auto checks = list.take();
  const auto* network = find(checks, "network lost + tiny");
  REQUIRE(network != nullptr);
  CHECK(network->result == Check::Result::failed);
}

TEST_CASE("a figure that only one of two evaluations has is a difference, whatever the others are") {
  struct Threads {
    int before = at::get_num_threads();
    Threads() { at::set_num_threads(2); }
    ~Threads() { at::set_num_threads(before); }
  } const two;
  Catalog catalog;
  catalog.add<LonelyMetric>("lonely");
  CheckList list(quiet);
  check_searches(catalog, torch::kCPU, list);
  const auto checks = list.take();
  const auto* evaluation = find(checks, "evaluation");
  REQUIRE(evaluation != nullptr);
  INFO(evaluation->figure << " " << evaluation->note);
  CHECK(evaluation->result == Check::Result::failed);
  CHECK(evaluation->figure.find("scores nan") != std::string::npos);
}

TEST_CASE("5 + 5 steps are 10 on the CPU, and a training that learns nothing fails") {
  const auto catalog = tiny_catalog();
  CheckList list(quiet);
  check_training(std::string(tiny_recipe) +
                     "\n[[optimizer.group]]\nname = \"all\"\nparameters = "
                     "[\"*\"]\nlearning_rate_factor = 1e-9\n",
                 catalog, torch::kCPU, list);
  const auto checks = list.take();
  const auto* resumed = find(checks, "5 + 5 steps are 10, fp32");
  REQUIRE(resumed != nullptr);
  CHECK(resumed->figure == "the same bits");
  CHECK(resumed->result == Check::Result::ok);
  const auto* learned = find(checks, "50 steps of training, fp32");
  REQUIRE(learned != nullptr);
  CHECK(learned->result == Check::Result::failed);
  const auto* half = find(checks, "50 steps of training, fp16");
  REQUIRE(half != nullptr);
  CHECK(half->result == Check::Result::left_out);
}

TEST_CASE("searches are compared with one thread, and a labeler that gives others is found") {
  auto catalog = tiny_catalog();
  Catalog moody;
  moody.add<MoodyLabeler>("moody");
  catalog.merge(std::move(moody), "moody", "moody.so");
  CheckList list(quiet);
  check_searches(catalog, torch::kCPU, list);
  const auto checks = list.take();
  for (const auto* name : {"neighbors", "evaluation"}) {
    const auto* check = find(checks, name);
    REQUIRE(check != nullptr);
    INFO(check->figure << " " << check->note);
    CHECK(check->result == Check::Result::ok);
  }
  const auto* labeler = find(checks, "moody");
  REQUIRE(labeler != nullptr);
  CHECK(labeler->result == Check::Result::failed);
}

TEST_CASE("of a container's memory a checkup says what it may take, beside that of the machine") {
  constexpr double gibibyte = 1 << 30;
  const auto text = [](const std::optional<std::int64_t>& limit_mib) {
    return memory_text(512 * gibibyte, 500 * gibibyte, limit_mib);
  };
  CHECK(text(8192) == "512.0 GiB, 500.0 GiB free; this container or job may take 8.0 GiB");
  CHECK(text(std::nullopt) == "512.0 GiB, 500.0 GiB free");
  CHECK(text(std::int64_t{1} << 20) == "512.0 GiB, 500.0 GiB free");
}
