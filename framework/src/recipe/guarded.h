// The border to components: whatever they throw becomes an error that names the component and its plugin, and
// what they hand back is checked once, where it enters the engine.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"

namespace kindred {
class Augmentation;
class Backbone;
class Dataset;
class Exporter;
class Index;
class Labeler;
class Layout;
class Metric;
class Optimizer;
class Partitioner;
class PostProcessor;
class Sampler;
class Schedule;
class Writer;
}  // namespace kindred

namespace kindred::recipe {

/// A component has failed, or has broken the contract of its role: "error: augmentation 'gray32' of plugin
/// 'heap' gave ...".
class ComponentFault : public Error {
 public:
  /// @param subject ComponentInfo::subject()
  /// @param what "gave ...", "failed: ..."
  /// @param of_computation an operation of LibTorch has refused its operands
  ComponentFault(const std::string& subject, const std::string& what, bool of_computation = false);
  ComponentFault(const ComponentFault&) = default;
  ~ComponentFault() override;

  /// The message without "error: ": to be put after a place.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] bool of_computation() const { return of_computation_; }

 private:
  std::string reason_;
  bool of_computation_;
};

/// The exception under way, as one that names the component: RecipeError, PluginError, DataError and
/// ComponentError have a place of their own and stay as they are, lack of memory becomes system::OutOfMemory,
/// anything else, also what is no std::exception, a ComponentFault. To be called in a catch clause.
[[noreturn]] void throw_named(const std::string& subject);

/// Calls something of a component; what it throws goes through throw_named().
template <class Call>
decltype(auto) guarded(const std::string& subject, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    throw_named(subject);
  }
}

/// The component behind its border: each call is guarded, and each result checked against what the header of
/// its role promises. Choice::create() returns nothing else.
[[nodiscard]] std::unique_ptr<Augmentation> guard(std::unique_ptr<Augmentation> inner,
                                                  const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Backbone> guard(std::unique_ptr<Backbone> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Dataset> guard(std::unique_ptr<Dataset> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Exporter> guard(std::unique_ptr<Exporter> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Index> guard(std::unique_ptr<Index> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Labeler> guard(std::unique_ptr<Labeler> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Layout> guard(std::unique_ptr<Layout> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Metric> guard(std::unique_ptr<Metric> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Optimizer> guard(std::unique_ptr<Optimizer> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Partitioner> guard(std::unique_ptr<Partitioner> inner,
                                                 const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<PostProcessor> guard(std::unique_ptr<PostProcessor> inner,
                                                   const ComponentInfo& info);
/// @param samples how many there are to choose from
[[nodiscard]] std::unique_ptr<Sampler> guard(std::unique_ptr<Sampler> inner, const ComponentInfo& info,
                                             std::size_t samples);
[[nodiscard]] std::unique_ptr<Schedule> guard(std::unique_ptr<Schedule> inner, const ComponentInfo& info);
[[nodiscard]] std::unique_ptr<Writer> guard(std::unique_ptr<Writer> inner, const ComponentInfo& info);

/// Heads and losses are modules, whose tensors have names: they stay as they are, and model.h guards their
/// calls.
template <class Module>
[[nodiscard]] std::shared_ptr<Module> guard(std::shared_ptr<Module> module, const ComponentInfo& /*info*/) {
  return module;
}

}  // namespace kindred::recipe
