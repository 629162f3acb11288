#include "data/loader.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <opencv2/core.hpp>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "api/image/pixel_limit_scope.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "recipe/guarded.h"
#include "recipe/sole_owner.h"
#include "system/out_of_memory.h"
#include "system/transfer.h"

namespace kindred::data {
namespace {

constexpr std::uint64_t augmentation_purpose = 0x6175676d656e74;  // "augment": keeps other streams apart
constexpr std::size_t kept_messages = 10;

/// One augmentation of the chain.
struct Step {
  Augmentation* augmentation;
  bool ordered;
};

/// An image of a pass.
struct Item {
  std::size_t sample;
  std::uint64_t position;
};

/// One image of a batch. Written by the worker that has taken it, read when the batch is complete.
struct Slot {
  int height = 0;
  int width = 0;
  std::exception_ptr error;
  std::string bad_data;  // what is wrong with the image, when `error` is a DataError
};

/// A batch in work or waiting for its delivery.
struct Pending {
  std::size_t index;
  std::size_t remaining;
  bool delivered;  // false for a batch that is only repeated for the sake of ordered augmentations
  std::vector<Slot> slots;
  torch::Tensor images;  // made by the first image that is done; [batch, 3, H, W]
};

struct Task {
  Pending* batch;
  std::size_t slot;
  std::uint64_t position;  ///< among all images of the pass
  std::uint64_t turn;      ///< among those that are worked on
};

std::string size_text(const Slot& slot) {
  return std::to_string(slot.height) + " x " + std::to_string(slot.width);
}

/// H x W x 3 of bytes or floats -> 3 x H x W floats; bytes are scaled to [0, 1].
void write_planes(const cv::Mat& image, float* out) {
  const std::size_t area = image.total();
  if (image.type() == CV_32FC3) {
    std::array<cv::Mat, 3> planes;
    for (std::size_t c = 0; c < 3; ++c) planes[c] = cv::Mat(image.rows, image.cols, CV_32FC1, out + c * area);
    cv::split(image, planes.data());
    return;
  }
  static const auto scaled = [] {
    std::array<float, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i) / 255.0F;
    return table;
  }();
  float* red = out;
  float* green = out + area;
  float* blue = out + 2 * area;
  for (int y = 0; y < image.rows; ++y) {
    const auto* pixel = image.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, pixel += 3) {
      *red++ = scaled[pixel[0]];
      *green++ = scaled[pixel[1]];
      *blue++ = scaled[pixel[2]];
    }
  }
}

/// Memory of batches, used again once nobody has the batch any more. What is new comes from the system page
/// by page, which for a batch takes longer than to decode its images. To be used under a lock.
class BatchMemory {
 public:
  /// Values of a batch, as a tensor of that shape, without a content.
  torch::Tensor take(const std::vector<std::int64_t>& shape) {
    std::int64_t values = 1;
    for (const auto length : shape) values *= length;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      // One owner is the list itself; the tensors that look at a batch are the others.
      if (kept_[i].storage().use_count() > 1) continue;
      if (kept_[i].numel() >= values) return kept_[i].narrow(0, 0, values).view(shape);
      kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i--));
    }
    kept_.push_back(torch::empty({values}, torch::kFloat32));
    return kept_.back().view(shape);
  }

  void release() { kept_.clear(); }

 private:
  std::vector<torch::Tensor> kept_;
};

}  // namespace

/// Workers take the images of the pass one by one in its order. An ordered augmentation has a turn: that
/// of the image that may enter it. Whoever has taken an image passes on each turn exactly once,
/// also for an image that failed, and the lowest position in work never waits for another one, so that there
/// is no deadlock.
struct Loader::State {
  State(const Dataset& dataset_, const std::vector<Sample>& samples_, LoaderOptions options_)
      : dataset(dataset_), samples(samples_), options(options_) {}

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      canceled = true;
    }
    work_available.notify_all();
    turn_passed.notify_all();
    for (auto& worker : workers) worker.join();
  }

  const Dataset& dataset;
  const std::vector<Sample>& samples;
  const LoaderOptions options;
  std::vector<Step> steps;
  std::size_t ordered_steps = 0;    // how many of them
  std::size_t steps_to_repeat = 0;  // the steps up to the last ordered one
  std::vector<std::thread> workers;

  mutable std::mutex mutex;  // guards all that follows
  std::condition_variable work_available;
  std::condition_variable batch_ready;
  std::condition_variable turn_passed;
  std::condition_variable idle;
  bool stopping = false;
  bool canceled = false;
  std::size_t active = 0;  // workers that have an image

  std::vector<std::vector<Item>> batches;
  bool is_shared = false;  // others work on the rest of each batch
  std::int64_t epoch = 0;
  std::size_t first_delivered = 0;
  std::size_t next_batch = 0;   // the one that next() looks at
  std::size_t taken_batch = 0;  // where workers take the next image
  std::size_t taken_slot = 0;
  std::uint64_t taken_turn = 0;
  std::vector<std::uint64_t> turns;  // for each ordered augmentation
  std::deque<std::unique_ptr<Pending>> window;
  BatchMemory memory;

  std::set<std::size_t> skipped;  ///< samples
  std::vector<std::string> messages;

  [[nodiscard]] bool has_work() const {
    return !canceled && taken_batch < batches.size() &&
           taken_batch < next_batch + static_cast<std::size_t>(options.prefetch);
  }

  /// Ends the pass: what is in work is finished, nothing more is taken.
  void abandon(std::unique_lock<std::mutex>& lock) {
    canceled = true;
    turn_passed.notify_all();
    idle.wait(lock, [this] { return active == 0; });
    window.clear();
    memory.release();
    batches.clear();
    next_batch = 0;
    taken_batch = 0;
  }

  void work() {
    const PixelLimitScope limit(options.max_pixels);
    std::unique_lock lock(mutex);
    while (true) {
      work_available.wait(lock, [this] { return stopping || has_work(); });
      if (stopping) return;
      const Task task = take();
      ++active;
      lock.unlock();
      process(task);
      lock.lock();
      --active;
      if (--task.batch->remaining == 0) batch_ready.notify_one();
      if (active == 0) idle.notify_all();
    }
  }

  Task take() {
    if (taken_slot == 0) {
      const std::size_t size = batches[taken_batch].size();
      window.push_back(std::make_unique<Pending>(
          Pending{taken_batch, size, taken_batch >= first_delivered, std::vector<Slot>(size), {}}));
    }
    const Task task{window.back().get(), taken_slot, batches[taken_batch][taken_slot].position, taken_turn};
    ++taken_turn;
    if (++taken_slot == batches[taken_batch].size()) {
      taken_slot = 0;
      ++taken_batch;
    }
    return task;
  }

  void process(const Task& task) {
    Slot& slot = task.batch->slots[task.slot];
    std::size_t turns_had = 0;
    const Sample& sample = samples[batches[task.batch->index][task.slot].sample];
    try {
      load(task, sample, slot, turns_had);
    } catch (const DataError& error) {
      slot.error = std::current_exception();
      slot.bad_data = error.what();
    } catch (const recipe::ComponentFault& fault) {
      slot.error = std::make_exception_ptr(Error(sample.path + ": error: " + fault.reason()));
    } catch (const cv::Exception& error) {
      slot.error = std::make_exception_ptr(Error(sample.path + ": error: OpenCV failed: " + error.what()));
    } catch (...) {
      slot.error = std::current_exception();
    }
    for (; turns_had < ordered_steps; ++turns_had) {
      if (!wait_for_turn(turns_had, task.turn)) return;
      pass_turn(turns_had);
    }
  }

  void load(const Task& task, const Sample& sample, Slot& slot, std::size_t& turns_had) {
    cv::Mat image = dataset.image(sample);
    recipe::make_sole_owner(image);
    RandomStream random(options.seed,
                        {augmentation_purpose, static_cast<std::uint64_t>(epoch), task.position});
    const std::size_t count = task.batch->delivered ? steps.size() : steps_to_repeat;
    for (std::size_t i = 0; i < count; ++i) {
      if (!steps[i].ordered) {
        steps[i].augmentation->apply(image, random);
        continue;
      }
      if (!wait_for_turn(turns_had, task.turn)) return;
      steps[i].augmentation->apply(image, random);
      pass_turn(turns_had);
      ++turns_had;
    }
    if (image.dims != 2 || image.empty() || (image.type() != CV_8UC3 && image.type() != CV_32FC3)) {
      throw std::logic_error("the data set or an augmentation has turned " + sample.path +
                             " into something other than three channels of bytes or floats");
    }
    slot.height = image.rows;
    slot.width = image.cols;
    if (task.batch->delivered) store(*task.batch, task.slot, image);
  }

  void store(Pending& batch, std::size_t slot, const cv::Mat& image) {
    {
      const std::lock_guard lock(mutex);
      if (!batch.images.defined()) {
        const auto count = static_cast<std::int64_t>(batch.slots.size());
        try {
          // Pinned memory is LibTorch's to use again: it knows when the GPU has copied it.
          batch.images = options.pinned
                             ? system::transfer_buffer({count, 3, image.rows, image.cols}, torch::kFloat32)
                             : memory.take({count, 3, image.rows, image.cols});
        } catch (const std::exception& error) {
          if (!system::is_out_of_memory(error)) throw;
          throw system::OutOfMemory("memory does not suffice for a batch of " + std::to_string(count) +
                                    " images of " + std::to_string(image.rows) + " x " +
                                    std::to_string(image.cols) + " pixels; use smaller batches or images");
        }
      }
    }
    // A batch of different sizes is refused when it is complete, by names that do not depend on who was
    // first.
    if (batch.images.size(2) != image.rows || batch.images.size(3) != image.cols) return;
    write_planes(image, batch.images.data_ptr<float>() + slot * 3 * image.total());
  }

  /// False when the pass has been abandoned.
  bool wait_for_turn(std::size_t which, std::uint64_t turn) {
    std::unique_lock lock(mutex);
    turn_passed.wait(lock, [&] { return canceled || turns[which] == turn; });
    return !canceled;
  }

  void pass_turn(std::size_t which) {
    {
      const std::lock_guard lock(mutex);
      ++turns[which];
    }
    turn_passed.notify_all();
  }

  /// Throws what the batch's first bad image in order says; counts those that are skipped.
  void check(const Pending& batch) {
    const auto& indices = batches[batch.index];
    const auto first =
        std::find_if(batch.slots.begin(), batch.slots.end(), [](const Slot& slot) { return !slot.error; });
    for (std::size_t i = 0; i < batch.slots.size(); ++i) {
      const Slot& slot = batch.slots[i];
      if (slot.error) {
        if (!options.skip_bad_images || slot.bad_data.empty()) std::rethrow_exception(slot.error);
        if (!batch.delivered) continue;
        const bool first_time = skipped.insert(indices[i].sample).second;
        if (first_time && messages.size() < kept_messages) messages.push_back(slot.bad_data);
      } else if (batch.delivered && (slot.height != first->height || slot.width != first->width)) {
        const auto first_index = static_cast<std::size_t>(first - batch.slots.begin());
        throw DataError(samples[indices[i].sample].path,
                        "is " + size_text(slot) + " pixels (height x width) after augmentation, but " +
                            samples[indices[first_index].sample].path + " is " + size_text(*first) +
                            "; all images of a batch must have the same size: add the augmentation 'resize' "
                            "to the recipe");
      }
    }
  }

  /// The batch without its bad images; no samples are left when all of them are bad.
  Batch finish(Pending& pending) const {
    Batch batch;
    batch.index = pending.index;
    const auto& indices = batches[pending.index];
    for (std::size_t i = 0; i < pending.slots.size(); ++i) {
      if (pending.slots[i].error) continue;
      if (const std::size_t row = batch.samples.size(); row != i) {
        const auto size = static_cast<std::size_t>(pending.images.stride(0));
        float* pixels = pending.images.data_ptr<float>();
        std::memcpy(pixels + row * size, pixels + i * size, size * sizeof(float));
      }
      batch.samples.push_back(indices[i].sample);
    }
    if (!batch.samples.empty()) {
      batch.images = pending.images.narrow(0, 0, static_cast<std::int64_t>(batch.samples.size()));
    }
    return batch;
  }
};

Loader::Loader(const Dataset& dataset, const std::vector<Sample>& samples,
               const std::vector<std::unique_ptr<Augmentation>>& augmentations, LoaderOptions options,
               bool training) {
  if (options.workers < 1 || options.prefetch < 1 || options.max_pixels < 1) {
    throw std::invalid_argument("a loader needs at least one worker, one batch to work on and one pixel");
  }
  state_ = std::make_unique<State>(dataset, samples, options);
  for (const auto& augmentation : augmentations) {
    if (!training && !augmentation->at_test_time()) continue;
    state_->steps.push_back({augmentation.get(), augmentation->ordered()});
    if (!augmentation->ordered()) continue;
    ++state_->ordered_steps;
    state_->steps_to_repeat = state_->steps.size();
  }
  for (std::int64_t i = 0; i < options.workers; ++i) {
    state_->workers.emplace_back([state = state_.get()] { state->work(); });
  }
}

Loader::~Loader() = default;

void Loader::start(std::vector<std::vector<std::size_t>> batches, std::int64_t epoch, std::size_t first_batch,
                   const std::vector<std::vector<std::size_t>>& shares) {
  if (!shares.empty() && shares.size() != batches.size()) {
    throw std::invalid_argument("each batch needs a share");
  }
  std::vector<std::vector<Item>> items(batches.size());
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& batch = batches[i];
    const auto add = [&](std::size_t place) {
      if (batch.at(place) >= state_->samples.size())
        throw std::out_of_range("a batch holds a sample that does not exist");
      items[i].push_back({batch[place], before + place});
    };
    if (shares.empty()) {
      for (std::size_t place = 0; place < batch.size(); ++place) add(place);
    } else {
      for (const auto place : shares[i]) add(place);
    }
    if (items[i].empty()) throw std::invalid_argument("a batch holds no samples");
    before += batch.size();
  }
  std::unique_lock lock(state_->mutex);
  state_->abandon(lock);
  for (const Step& step : state_->steps) step.augmentation->start_pass();
  const std::size_t first = std::min(first_batch, items.size());
  const std::size_t from = state_->ordered_steps > 0 && first < items.size() ? 0 : first;
  state_->taken_turn = 0;
  for (std::size_t i = 0; i < from; ++i) state_->taken_turn += items[i].size();
  state_->turns.assign(state_->ordered_steps, state_->taken_turn);
  state_->batches = std::move(items);
  state_->is_shared = !shares.empty();
  state_->epoch = epoch;
  state_->first_delivered = first;
  state_->next_batch = from;
  state_->taken_batch = from;
  state_->taken_slot = 0;
  state_->canceled = false;
  lock.unlock();
  state_->work_available.notify_all();
}

std::optional<Batch> Loader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  while (state.next_batch < state.batches.size()) {
    state.batch_ready.wait(lock,
                           [&] { return !state.window.empty() && state.window.front()->remaining == 0; });
    const auto pending = std::move(state.window.front());
    state.window.pop_front();
    try {
      state.check(*pending);
    } catch (...) {
      state.abandon(lock);
      throw;
    }
    ++state.next_batch;
    state.work_available.notify_all();
    if (!pending->delivered) continue;
    Batch batch = state.finish(*pending);
    if (!batch.samples.empty() || state.is_shared) return batch;
  }
  state.memory.release();
  return std::nullopt;
}

std::int64_t Loader::skipped() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::int64_t>(state_->skipped.size());
}

std::vector<std::string> Loader::skip_messages() const {
  const std::lock_guard lock(state_->mutex);
  return state_->messages;
}

}  // namespace kindred::data
