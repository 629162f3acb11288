#include "data/each_image.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "system/processors.h"

namespace kindred::data {
namespace {

/// Counts what is done, and tells the sink.
class ImageMeter {
 public:
  ImageMeter(std::size_t total, const std::string& stage, progress::ProgressSink* sink)
      : sink_(sink), start_(std::chrono::steady_clock::now()) {
    progress_.stage = stage;
    progress_.total = static_cast<std::int64_t>(total);
    progress_.unit = "images";
  }

  void count() { done_.fetch_add(1, std::memory_order_relaxed); }
  void show() {
    if (sink_ != nullptr) sink_->update(current());
  }
  void finish() {
    if (sink_ != nullptr) sink_->finish(current());
  }

 private:
  const progress::Progress& current() {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    progress_.done = done_.load(std::memory_order_relaxed);
    if (progress_.done > 0 && passed.count() > 0) {
      progress_.images_per_second = static_cast<double>(progress_.done) / passed.count();
      progress_.remaining_seconds =
          static_cast<double>(progress_.total - progress_.done) / progress_.images_per_second;
    }
    return progress_;
  }

  progress::ProgressSink* sink_;
  std::chrono::steady_clock::time_point start_;
  progress::Progress progress_;
  std::atomic<std::int64_t> done_ = 0;
};

/// Of all exceptions that threads have thrown, that of the lowest index.
class FirstFailure {
 public:
  void keep(std::size_t index, std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_ || index < index_) {
      index_ = index;
      failure_ = std::move(failure);
    }
    stop_ = true;
  }
  [[nodiscard]] bool stop() const { return stop_.load(std::memory_order_relaxed); }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> stop_ = false;
  std::size_t index_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void for_each_image(std::size_t count, const std::string& stage, progress::ProgressSink* sink,
                    const std::function<void(std::size_t)>& work) {
  ImageMeter meter(count, stage, sink);
  FirstFailure failure;
  std::atomic<std::size_t> next = 0;
  // Indices are handed out in order, so every index below one that failed has been begun and will be judged.
  const auto run = [&](bool reports) {
    while (!failure.stop()) {
      const std::size_t index = next.fetch_add(1);
      if (index >= count) return;
      try {
        work(index);
        meter.count();
        if (reports) meter.show();
      } catch (...) {
        failure.keep(index, std::current_exception());
      }
    }
  };
  {
    const auto workers = std::min(static_cast<std::size_t>(system::usable_processors()), count);
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(run, false);
    run(true);
  }
  failure.rethrow();
  meter.finish();
}

}  // namespace kindred::data
