#include "recipe/guarded.h"

#include <c10/util/Exception.h>
#include <cxxabi.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <istream>
#include <opencv2/core.hpp>
#include <ostream>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/exporter.h"
#include "kindred/role/index.h"
#include "kindred/role/labeler.h"
#include "kindred/role/layout.h"
#include "kindred/role/metric.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/post_processor.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"
#include "kindred/role/writer.h"
#include "kindred/search/retrieval.h"
#include "kindred/text/text_file.h"
#include "system/out_of_memory.h"

namespace kindred::recipe {

ComponentFault::ComponentFault(const std::string& subject, const std::string& what, bool of_computation)
    : Error("error: " + subject + " " + what),
      reason_(subject + " " + what),
      of_computation_(of_computation) {}

ComponentFault::~ComponentFault() = default;

namespace {

/// Of the exception under way: "int".
std::string thrown_type() {
  const auto* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "something";
  int status = 0;
  char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? readable : type->name();
  std::free(readable);
  return name;
}

std::string text_of(const std::exception& error) {
  // LibTorch appends a stack trace.
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch == nullptr ? error.what() : std::string("LibTorch: ") + of_torch->what_without_backtrace();
}

}  // namespace

void throw_named(const std::string& subject) {
  try {
    throw;
  } catch (const RecipeError&) {
    throw;
  } catch (const PluginError&) {
    throw;
  } catch (const DataError&) {
    throw;
  } catch (const ComponentError&) {
    throw;
  } catch (const ComponentFault&) {
    throw;
  } catch (const system::OutOfMemory&) {
    throw;
  } catch (const std::exception& error) {
    if (system::is_out_of_memory(error)) {
      throw system::OutOfMemory("error: " + subject + " needs more memory than there is: " + text_of(error));
    }
    throw ComponentFault(subject, "failed: " + text_of(error),
                         dynamic_cast<const c10::Error*>(&error) != nullptr);
  } catch (...) {
    throw ComponentFault(subject, "failed: it threw a value of type '" + thrown_type() +
                                      "', which is not an exception and says nothing; a component must throw "
                                      "what is derived from std::exception");
  }
}

namespace {

/// What all guards share.
template <class Role>
class Guard : public Role {
 public:
  Guard(std::unique_ptr<Role> inner, const ComponentInfo& info)
      : inner_(std::move(inner)), subject_(info.subject()) {}

 protected:
  template <class Call>
  decltype(auto) call(Call&& action) const {
    return guarded(subject_, std::forward<Call>(action));
  }
  [[noreturn]] void gave(const std::string& what) const { throw ComponentFault(subject_, "gave " + what); }

  std::unique_ptr<Role> inner_;
  std::string subject_;
};

std::string image_text(const cv::Mat& image) {
  if (image.dims > 2) return "an array of " + std::to_string(image.dims) + " dimensions";
  if (image.empty()) return "an empty image";
  return "an image of " + std::to_string(image.rows) + " x " + std::to_string(image.cols) + " pixels with " +
         std::to_string(image.channels()) + (image.channels() == 1 ? " channel" : " channels") + " (" +
         cv::typeToString(image.type()) + ")";
}

/// Exponents alone, as whole numbers: the compiler makes vector instructions of it.
bool is_finite(const cv::Mat& image) {
  std::uint32_t largest = 0;
  for (int y = 0; y < image.rows; ++y) {
    const auto* row = image.ptr<float>(y);
    const auto values = static_cast<std::size_t>(image.cols) * static_cast<std::size_t>(image.channels());
    for (std::size_t i = 0; i < values; ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, row + i, sizeof(bits));
      largest = std::max(largest, bits & 0x7fffffffU);
    }
  }
  return largest < 0x7f800000U;
}

class GuardedAugmentation final : public Guard<Augmentation> {
 public:
  using Guard::Guard;
  void apply(cv::Mat& image, RandomStream& random) override {
    call([&] { inner_->apply(image, random); });
    if (image.dims != 2 || image.empty() || (image.type() != CV_8UC3 && image.type() != CV_32FC3)) {
      gave(image_text(image) +
           "; an image has the three channels R, G, B, as bytes (CV_8UC3) or, once it is normalized, as "
           "32-bit floats (CV_32FC3)");
    }
    if (image.type() == CV_32FC3 && !is_finite(image)) gave("an image with values that are not finite");
  }
  [[nodiscard]] bool at_test_time() const override {
    return call([&] { return inner_->at_test_time(); });
  }
  [[nodiscard]] bool ordered() const override {
    return call([&] { return inner_->ordered(); });
  }
  void start_pass() override {
    call([&] { inner_->start_pass(); });
  }
};

class GuardedBackbone final : public Guard<Backbone> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<std::string> blocks() const override {
    auto blocks = call([&] { return inner_->blocks(); });
    if (blocks.empty()) gave("no names of blocks; a backbone has at least one block");
    return blocks;
  }
  [[nodiscard]] std::int64_t channels() const override {
    const auto channels = call([&] { return inner_->channels(); });
    if (channels < 1) gave(std::to_string(channels) + " as its number of channels; it has at least one");
    return channels;
  }
  [[nodiscard]] FeatureForm gives() const override {
    return call([&] { return inner_->gives(); });
  }
  [[nodiscard]] SideInformation side_information() const override {
    return call([&] { return inner_->side_information(); });
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string& cut) override {
    return checked(call([&] { return inner_->trunk(cut); }), "trunk");
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                       std::int64_t last_stride) const override {
    return checked(call([&] { return inner_->copy_rest(cut, last_stride); }), "copy of its blocks");
  }

 private:
  [[nodiscard]] std::shared_ptr<NetworkPart> checked(std::shared_ptr<NetworkPart> module,
                                                     const std::string& what) const {
    if (module == nullptr) gave("no " + what);
    return module;
  }
};

class GuardedDataset final : public Guard<Dataset> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<Sample> samples() const override {
    auto samples = call([&] { return inner_->samples(); });
    std::set<std::pair<Split, std::string_view>> seen;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto& sample = samples[i];
      const auto refuse = [&](const std::string& what) {
        gave("a sample " + what + ": sample " + std::to_string(i) + " (from 0), '" + sample.path + "'");
      };
      if (sample.path.empty()) refuse("without a path");
      for (const auto* text : {&sample.path, &sample.domain, &sample.tracklet}) {
        if (is_utf8(*text) && text->find('\0') == std::string::npos) continue;
        throw DataError(escaped(*text), "is not a name in UTF-8; rename it (from " + subject_ + ")");
      }
      if (sample.identity < unlabelled_identity) {
        refuse("with the identity " + std::to_string(sample.identity) +
               "; allowed are whole numbers from 0, -1 for junk and -2 for unlabeled images");
      }
      if (sample.camera < unknown_camera) {
        refuse("with the camera " + std::to_string(sample.camera) +
               "; allowed are whole numbers from 0, and -1 for an unknown one");
      }
      if (sample.view < unknown_view) {
        refuse("with the view " + std::to_string(sample.view) +
               "; allowed are whole numbers from 0, and -1 for an unknown one");
      }
      if (sample.clothes < unknown_clothes) {
        refuse("with the clothes " + std::to_string(sample.clothes) +
               "; allowed are whole numbers from 0, and -1 for unknown ones");
      }
      if (sample.split != Split::train && sample.split != Split::query && sample.split != Split::gallery) {
        refuse("with an unknown split");
      }
      if (!seen.emplace(sample.split, sample.path).second) {
        refuse(std::string("twice in the split '") + split_name(sample.split) + "'");
      }
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    auto image = call([&] { return inner_->image(sample); });
    if (image.dims != 2 || image.empty() || image.type() != CV_8UC3) {
      gave(image_text(image) + " for '" + sample.path +
           "'; a data set gives images as bytes in the three channels R, G, B (CV_8UC3)");
    }
    return image;
  }
  [[nodiscard]] Recognition recognize() const override {
    return call([&] { return inner_->recognize(); });
  }
};

/// Puts the component's name before its warnings.
class NamedHost final : public RetrievalHost {
 public:
  NamedHost(std::string name, RetrievalHost& host) : name_(std::move(name)), host_(host) {}
  [[nodiscard]] torch::Device device() const override { return host_.device(); }
  void progress(const std::string& step, std::int64_t done, std::int64_t total) override {
    host_.progress(step, done, total);
  }
  void warn(const std::string& text) override { host_.warn(name_ + ": " + text); }
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path& folder) override {
    return host_.descriptors_of(folder);
  }
  [[nodiscard]] DistanceBlock distances_of(const std::filesystem::path& file) override {
    return host_.distances_of(file);
  }
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& rows, const NearestOptions& options) override {
    return host_.nearest_rows(rows, options);
  }
  [[nodiscard]] NearestRows nearest_rows(const torch::Tensor& query, const torch::Tensor& gallery,
                                         const NearestOptions& options) override {
    return host_.nearest_rows(query, gallery, options);
  }

 private:
  std::string name_;
  RetrievalHost& host_;
};

class GuardedIndex final : public Guard<Index> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::int64_t training_rows() const override {
    const auto rows = call([&] { return inner_->training_rows(); });
    if (rows < 0) gave(std::to_string(rows) + " as the number of rows to train with; it is not negative");
    return rows;
  }
  void train(const torch::Tensor& rows) override {
    call([&] { inner_->train(rows); });
  }
  void add(const torch::Tensor& rows) override {
    call([&] { inner_->add(rows); });
    rows_ += rows.size(0);
  }
  [[nodiscard]] torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const override {
    auto found = call([&] { return inner_->search(queries, count); });
    if (!found.defined() || found.dim() != 2 || found.size(0) != queries.size(0) || found.size(1) != count ||
        found.scalar_type() != torch::kLong || !found.device().is_cpu()) {
      gave("something else than [" + std::to_string(queries.size(0)) + ", " + std::to_string(count) +
           "] row numbers of 64 bits on the CPU");
    }
    found = found.contiguous();
    const auto* row = found.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < found.numel(); ++i) {
      if (row[i] >= -1 && row[i] < rows_) continue;
      gave("row " + std::to_string(row[i]) + " of " + std::to_string(rows_));
    }
    return found;
  }

 private:
  std::int64_t rows_ = 0;
};

class GuardedExporter final : public Guard<Exporter> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string ending() const override {
    auto ending = call([&] { return inner_->ending(); });
    if (ending.empty() || ending.find_first_of("./") != std::string::npos) {
      gave("'" + ending + "' as what the names of its files end in; it is a word, such as 'onnx'");
    }
    return ending;
  }
  void write(const ExportedModel& model, const std::filesystem::path& file) const override {
    call([&] { inner_->write(model, file); });
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) gave("no file");
  }
  [[nodiscard]] ExportRun run(const std::filesystem::path& file,
                              const std::vector<std::vector<torch::Tensor>>& batches) const override {
    auto done = call([&] { return inner_->run(file, batches); });
    if (!done.why_not.empty()) return done;
    if (done.outputs.size() != batches.size()) {
      gave(std::to_string(done.outputs.size()) + " outputs for " + std::to_string(batches.size()) +
           " batches");
    }
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto& rows = done.outputs[i];
      const bool fits = rows.defined() && rows.dim() == 2 && rows.scalar_type() == torch::kFloat &&
                        rows.size(0) == batches[i].at(0).size(0);
      if (!fits) gave("something else than one row of 32-bit floats for each image");
    }
    return done;
  }
};

class GuardedLabeler final : public Guard<Labeler> {
 public:
  GuardedLabeler(std::unique_ptr<Labeler> inner, const ComponentInfo& info)
      : Guard(std::move(inner), info), name_("labeler '" + info.name + "'") {}
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost& host) const override {
    NamedHost named(name_, host);
    auto labels = call([&] { return inner_->label(images, named); });
    const auto rows = static_cast<std::size_t>(images.descriptors.size(0));
    if (labels.identities.size() != rows) {
      gave(std::to_string(labels.identities.size()) + " identities for " + std::to_string(rows) + " images");
    }
    std::int64_t next = 0;
    std::int64_t without = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto identity = labels.identities[i];
      if (identity == unlabelled_identity) {
        ++without;
      } else if (identity == next) {
        ++next;
      } else if (identity < 0 || identity > next) {
        gave("the identity " + std::to_string(identity) + " to image " + std::to_string(i) +
             " (from 0); identities are numbered from 0 without gaps, in the order of their first images");
      }
    }
    std::int64_t told = 0;
    for (const auto& part : labels.left_out) told += part.images;
    if (told != without) {
      gave("reasons for " + std::to_string(told) + " images without an identity, but left out " +
           std::to_string(without));
    }
    return labels;
  }

 private:
  std::string name_;
};

class GuardedLayout final : public Guard<Layout> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string ending() const override {
    return call([&] { return inner_->ending(); });
  }
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override {
    auto files = call([&] { return inner_->files(samples, ending); });
    if (files.images.size() != samples.size()) {
      gave(std::to_string(files.images.size()) + " names of files for " + std::to_string(samples.size()) +
           " images");
    }
    for (const auto& path : files.images) require_inside(path);
    for (const auto& list : files.lists) require_inside(list.path);
    return files;
  }

 private:
  void require_inside(const std::string& path) const {
    const std::filesystem::path file(path);
    const bool climbs = std::find(file.begin(), file.end(), "..") != file.end();
    if (path.empty() || file.is_absolute() || climbs) {
      gave("'" + path +
           "' as the name of a file; names are relative to the folder of the data set and stay "
           "inside it");
    }
  }
};

class GuardedPart final : public PairCounter::Part {
 public:
  GuardedPart(std::unique_ptr<PairCounter::Part> inner, const std::string& subject)
      : inner_(std::move(inner)), subject_(subject) {}
  void add(const QueryPairs& query) override {
    guarded(subject_, [&] { inner_->add(query); });
  }
  void finish() override {
    guarded(subject_, [&] { inner_->finish(); });
  }

 private:
  std::unique_ptr<PairCounter::Part> inner_;
  const std::string& subject_;
};

class GuardedCounter final : public PairCounter {
 public:
  GuardedCounter(std::unique_ptr<PairCounter> inner, std::string subject)
      : inner_(std::move(inner)), subject_(std::move(subject)) {}
  [[nodiscard]] std::unique_ptr<Part> part() override {
    auto part = guarded(subject_, [&] { return inner_->part(); });
    if (part == nullptr) throw ComponentFault(subject_, "gave no part of its counter");
    return std::make_unique<GuardedPart>(std::move(part), subject_);
  }
  [[nodiscard]] MetricResult result() override {
    return guarded(subject_, [&] { return inner_->result(); });
  }
  [[nodiscard]] bool is_divisible() const override {
    return guarded(subject_, [&] { return inner_->is_divisible(); });
  }
  [[nodiscard]] std::string counted() override {
    return guarded(subject_, [&] { return inner_->counted(); });
  }
  void add_counted(const std::string& counted) override {
    guarded(subject_, [&] { inner_->add_counted(counted); });
  }

 private:
  std::unique_ptr<PairCounter> inner_;
  std::string subject_;
};

/// What a metric's results look like is checked where they are given names: ranking/made_metric.h.
class GuardedMetric final : public Guard<Metric> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return call([&] { return inner_->figures(); });
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override {
    return call([&] { return inner_->judge(queries); });
  }
  [[nodiscard]] std::unique_ptr<PairCounter> count_pairs(const PairTotals& pairs) const override {
    auto counter = call([&] { return inner_->count_pairs(pairs); });
    if (counter == nullptr) return nullptr;
    return std::make_unique<GuardedCounter>(std::move(counter), subject_);
  }
};

class GuardedOptimizer final : public Guard<Optimizer> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override {
    auto optimizer = call([&] { return inner_->build(groups); });
    if (optimizer == nullptr) gave("no optimizer");
    if (optimizer->param_groups().size() != groups.size()) {
      gave(std::to_string(optimizer->param_groups().size()) + " groups of parameters instead of " +
           std::to_string(groups.size()));
    }
    return optimizer;
  }
  [[nodiscard]] double learning_rate() const override {
    const auto rate = call([&] { return inner_->learning_rate(); });
    if (!(rate >= 0) || !std::isfinite(rate)) {
      gave(std::to_string(rate) + " as learning rate; it must be finite and not negative");
    }
    return rate;
  }
};

class GuardedPartitioner final : public Guard<Partitioner> {
 public:
  using Guard::Guard;
  [[nodiscard]] bool needs_pixels() const override {
    return call([&] { return inner_->needs_pixels(); });
  }
  [[nodiscard]] std::string domain(const Sample& sample, const cv::Mat& image) const override {
    auto domain = call([&] { return inner_->domain(sample, image); });
    if (domain.empty()) gave("no domain to '" + sample.path + "'; every image is of a domain with a name");
    return domain;
  }
};

std::string tensor_text(const torch::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::string sizes;
  for (const auto size : tensor.sizes()) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  return "a tensor [" + sizes + "] of type " + torch::toString(tensor.scalar_type()) + " on " +
         tensor.device().str();
}

/// The first row that holds a value that is not finite, or -1.
std::int64_t first_bad_row(const torch::Tensor& rows) {
  const auto finite = torch::isfinite(rows).all(1).contiguous();
  const auto* good = finite.data_ptr<bool>();
  const auto at = std::find(good, good + finite.numel(), false) - good;
  return at == finite.numel() ? -1 : at;
}

bool is_rows(const torch::Tensor& tensor, std::int64_t count) {
  return tensor.defined() && tensor.dim() == 2 && tensor.size(0) == count &&
         tensor.scalar_type() == torch::kFloat32 && tensor.device().is_cpu();
}

class GuardedPostProcessor final : public Guard<PostProcessor> {
 public:
  GuardedPostProcessor(std::unique_ptr<PostProcessor> inner, const ComponentInfo& info)
      : Guard(std::move(inner), info), name_("post_processor '" + info.name + "'") {}
  [[nodiscard]] Step step() const override {
    return call([&] { return inner_->step(); });
  }
  void apply(Retrieval& retrieval, RetrievalHost& host) const override {
    const auto rows = retrieval.descriptors.size(0);
    const auto queries = retrieval.queries;
    const auto named = std::make_shared<NamedHost>(name_, host);
    call([&] { inner_->apply(retrieval, *named); });
    if (retrieval.queries != queries) {
      gave(std::to_string(retrieval.queries) + " as the number of queries, which is " +
           std::to_string(queries) + " and must stay so");
    }
    if (step() == Step::descriptors) {
      check_descriptors(retrieval.descriptors, rows);
      return;
    }
    if (!retrieval.distances) gave("no distances, which a step of this kind must set");
    retrieval.distances = [named, subject = subject_, block = std::move(retrieval.distances),
                           images = rows - queries](std::int64_t first, std::int64_t last) {
      auto distances = guarded(subject, [&] { return block(first, last); });
      const auto count = last - first;
      if (!is_rows(distances, count) || distances.size(1) != images) {
        throw ComponentFault(subject, "gave " + tensor_text(distances) + " as distances; they must be [" +
                                          std::to_string(count) + ", " + std::to_string(images) +
                                          "], queries x gallery, in 32-bit floats on the CPU");
      }
      if (const auto bad = first_bad_row(distances); bad >= 0) {
        throw ComponentFault(subject, "gave query " + std::to_string(first + bad) +
                                          " (from 0) a distance that is not finite; check its parameters "
                                          "and the descriptors of that query");
      }
      return distances;
    };
  }

 private:
  void check_descriptors(torch::Tensor& descriptors, std::int64_t rows) const {
    if (!is_rows(descriptors, rows) || descriptors.size(1) < 1) {
      gave(tensor_text(descriptors) + " as descriptors; they must be [" + std::to_string(rows) +
           ", dim], queries before gallery, in 32-bit floats on the CPU");
    }
    descriptors = descriptors.contiguous();
    if (const auto bad = first_bad_row(descriptors); bad >= 0) {
      gave("a descriptor that is not finite, row " + std::to_string(bad) +
           " (from 0, the queries first); check for very long or very short descriptors");
    }
  }

  std::string name_;
};

class GuardedSampler final : public Guard<Sampler> {
 public:
  GuardedSampler(std::unique_ptr<Sampler> inner, const ComponentInfo& info, std::size_t samples)
      : Guard(std::move(inner), info), samples_(samples) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override {
    auto batches = call([&] { return inner_->batches(epoch, random); });
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto place = "batch " + std::to_string(i + 1) + " of epoch " + std::to_string(epoch);
      if (batches[i].empty()) gave("an empty batch: " + place);
      for (const auto index : batches[i]) {
        if (index < samples_) continue;
        gave("image " + std::to_string(index) + " in " + place + ", but there are only " +
             std::to_string(samples_) + " images (counted from 0)");
      }
    }
    return batches;
  }

 private:
  std::size_t samples_;
};

class GuardedSchedule final : public Guard<Schedule> {
 public:
  using Guard::Guard;
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override {
    const auto factor = call([&] { return inner_->factor(epoch, progress); });
    if (!(factor >= 0) || !std::isfinite(factor)) {
      gave("the factor " + std::to_string(factor) + " for the learning rate in epoch " +
           std::to_string(epoch) + "; it must be finite and not negative");
    }
    return factor;
  }
};

class GuardedWriter final : public Guard<Writer> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string file_name() const override {
    auto name = call([&] { return inner_->file_name(); });
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
      gave("'" + name + "' as the name of its file; it is a plain name without a folder");
    }
    return name;
  }
  [[nodiscard]] std::int64_t top() const override {
    const auto top = call([&] { return inner_->top(); });
    if (top < 1) gave(std::to_string(top) + " as the number of images to list; it lists at least one");
    return top;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return call([&] { return inner_->name_of(path); });
  }
  void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const override {
    call([&] { inner_->write(rankings, out); });
  }
  [[nodiscard]] std::vector<RankedQuery> read(std::istream& in) const override {
    return call([&] { return inner_->read(in); });
  }
};

}  // namespace

std::unique_ptr<Augmentation> guard(std::unique_ptr<Augmentation> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedAugmentation>(std::move(inner), info);
}
std::unique_ptr<Backbone> guard(std::unique_ptr<Backbone> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedBackbone>(std::move(inner), info);
}
std::unique_ptr<Dataset> guard(std::unique_ptr<Dataset> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedDataset>(std::move(inner), info);
}
std::unique_ptr<Index> guard(std::unique_ptr<Index> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedIndex>(std::move(inner), info);
}
std::unique_ptr<Labeler> guard(std::unique_ptr<Labeler> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedLabeler>(std::move(inner), info);
}
std::unique_ptr<Exporter> guard(std::unique_ptr<Exporter> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedExporter>(std::move(inner), info);
}
std::unique_ptr<Layout> guard(std::unique_ptr<Layout> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedLayout>(std::move(inner), info);
}
std::unique_ptr<Metric> guard(std::unique_ptr<Metric> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedMetric>(std::move(inner), info);
}
std::unique_ptr<Optimizer> guard(std::unique_ptr<Optimizer> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedOptimizer>(std::move(inner), info);
}
std::unique_ptr<Partitioner> guard(std::unique_ptr<Partitioner> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedPartitioner>(std::move(inner), info);
}
std::unique_ptr<PostProcessor> guard(std::unique_ptr<PostProcessor> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedPostProcessor>(std::move(inner), info);
}
std::unique_ptr<Sampler> guard(std::unique_ptr<Sampler> inner, const ComponentInfo& info,
                               std::size_t samples) {
  return std::make_unique<GuardedSampler>(std::move(inner), info, samples);
}
std::unique_ptr<Schedule> guard(std::unique_ptr<Schedule> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedSchedule>(std::move(inner), info);
}
std::unique_ptr<Writer> guard(std::unique_ptr<Writer> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedWriter>(std::move(inner), info);
}

}  // namespace kindred::recipe
