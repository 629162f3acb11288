#include "jpeg_decoding.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#ifdef KINDRED_BENCH_TURBOJPEG
#include <turbojpeg.h>

#include <memory>
#endif

#include "common.h"
#include "kindred/core/error.h"

namespace kindred::bench {
namespace {

#ifdef KINDRED_BENCH_TURBOJPEG
/// One for each thread, with the room for its picture.
class TurboDecoder {
 public:
  void decode(const std::vector<unsigned char>& content) {
    int width = 0;
    int height = 0;
    int sampling = 0;
    int colors = 0;
    const bool read = ::tjDecompressHeader3(handle_.get(), content.data(), content.size(), &width, &height,
                                            &sampling, &colors) == 0;
    if (read) pixels_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    if (!read || ::tjDecompress2(handle_.get(), content.data(), content.size(), pixels_.data(), width, 0,
                                 height, TJPF_RGB, 0) != 0) {
      throw Error(std::string("bench: error: TurboJPEG: ") + ::tjGetErrorStr2(handle_.get()));
    }
  }

 private:
  struct Destroy {
    void operator()(void* handle) const { ::tjDestroy(handle); }
  };
  std::unique_ptr<void, Destroy> handle_{::tjInitDecompress()};
  std::vector<unsigned char> pixels_;
};
#endif

}  // namespace

bool has_turbojpeg() {
#ifdef KINDRED_BENCH_TURBOJPEG
  return true;
#else
  return false;
#endif
}

JpegDecoding::JpegDecoding(const std::vector<std::filesystem::path>& files, JpegDecoder decoder,
                           std::int64_t threads, std::int64_t batch)
    : decoder_(decoder), threads_(threads), batch_(batch) {
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    contents_.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (contents_.back().empty() || cv::imdecode(contents_.back(), cv::IMREAD_COLOR).empty()) {
      throw DataError(file, "cannot be read as a JPEG");
    }
  }
}

std::string JpegDecoding::name() const {
  return std::string(decoder_ == JpegDecoder::opencv ? "decode alone, OpenCV" : "decode alone, TurboJPEG") +
         ", " + (threads_ == 1 ? "1 thread" : std::to_string(threads_) + " threads");
}

void JpegDecoding::decode(std::size_t first, std::size_t last) const {
#ifdef KINDRED_BENCH_TURBOJPEG
  if (decoder_ == JpegDecoder::turbojpeg) {
    TurboDecoder turbo;
    for (auto i = first; i < last; ++i) turbo.decode(contents_[i % contents_.size()]);
    return;
  }
#endif
  for (auto i = first; i < last; ++i) {
    static_cast<void>(cv::imdecode(contents_[i % contents_.size()], cv::IMREAD_COLOR));
  }
}

double JpegDecoding::run(std::int64_t steps) {
  const auto images = static_cast<std::size_t>(steps * batch_);
  return seconds_of([&] {
    if (threads_ == 1) {
      decode(0, images);
      return;
    }
    // Few at a time, so that all end together; what one throws would end the program, but all were decoded
    // once before.
    constexpr std::size_t piece = 8;
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (std::int64_t i = 0; i < threads_; ++i) {
      threads.emplace_back([&] {
        for (auto first = next.fetch_add(piece); first < images; first = next.fetch_add(piece)) {
          decode(first, std::min(first + piece, images));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  });
}

}  // namespace kindred::bench
