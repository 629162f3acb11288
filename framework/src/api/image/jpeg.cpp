#include "jpeg.h"

// jpeglib.h does not include it, but needs it.
#include <stdio.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <string_view>

#include <jpeglib.h>

#include <jerror.h>

#include <opencv2/core.hpp>

#include "exif.h"
#include "header_bytes.h"

namespace kindred {
namespace {

/// libjpeg's calls when something is wrong, which are to end the decoding: it is C, through which no
/// exception may pass.
struct Failure {
  jpeg_error_mgr manager;  // libjpeg knows this alone, so it comes first
  std::jmp_buf exit;
  std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void give_up(j_common_ptr decoder) {
  auto* failure = reinterpret_cast<Failure*>(decoder->err);
  decoder->err->format_message(decoder, failure->message.data());
  std::longjmp(failure->exit, 1);
}

/// Whether a warning says that pixels are wrong. Bytes that are left over and oddities of headers are none.
bool is_damage(int warning) {
  return warning == JWRN_HIT_MARKER || warning == JWRN_HUFF_BAD_CODE || warning == JWRN_ARITH_BAD_CODE ||
         warning == JWRN_MUST_RESYNC || warning == JWRN_JPEG_EOF;
}

void on_message(j_common_ptr decoder, int level) {
  if (level < 0 && is_damage(decoder->err->msg_code)) give_up(decoder);
}

void print_nothing(j_common_ptr /*decoder*/) {}

/// libjpeg's object. Functions that call libjpeg hold nothing that needs a destructor: longjmp() runs none.
class JpegDecoder {
 public:
  JpegDecoder() {
    decoder_.err = jpeg_std_error(&failure_.manager);
    failure_.manager.error_exit = give_up;
    failure_.manager.emit_message = on_message;
    failure_.manager.output_message = print_nothing;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&decoder_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  /// False when libjpeg gave up.
  bool read_header(std::span<const std::uint8_t> bytes) {
    if (setjmp(failure_.exit) != 0) return false;
    jpeg_create_decompress(&decoder_);
    jpeg_mem_src(&decoder_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_save_markers(&decoder_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&decoder_, TRUE);
    decoder_.out_color_space = decoder_.num_components == 4 ? JCS_CMYK : JCS_RGB;
    return true;
  }

  /// Of the header that was read.
  [[nodiscard]] cv::Size size() const {
    return {static_cast<int>(decoder_.image_width), static_cast<int>(decoder_.image_height)};
  }
  [[nodiscard]] bool is_cmyk() const { return decoder_.out_color_space == JCS_CMYK; }

  /// The tag Orientation of EXIF; 1, upright, where there is none. To be asked for before the pixels are
  /// read, which ends with the header forgotten.
  [[nodiscard]] std::int64_t orientation() const;

  /// False when libjpeg gave up.
  /// @param image of that size, with four bytes a pixel for CMYK, else three
  bool read_pixels(cv::Mat& image) {
    if (setjmp(failure_.exit) != 0) return false;
    jpeg_start_decompress(&decoder_);
    constexpr JDIMENSION at_once = 16;
    JSAMPROW rows[at_once];
    while (decoder_.output_scanline < decoder_.output_height) {
      const JDIMENSION count = std::min(at_once, decoder_.output_height - decoder_.output_scanline);
      for (JDIMENSION i = 0; i < count; ++i) {
        rows[i] = image.ptr(static_cast<int>(decoder_.output_scanline + i));
      }
      jpeg_read_scanlines(&decoder_, rows, count);
    }
    jpeg_finish_decompress(&decoder_);
    return true;
  }

  [[nodiscard]] std::string problem() const { return failure_.message.data(); }

 private:
  jpeg_decompress_struct decoder_{};
  Failure failure_{};
};

std::int64_t JpegDecoder::orientation() const {
  constexpr std::string_view exif("Exif\0\0", 6);
  for (const auto* marker = decoder_.marker_list; marker != nullptr; marker = marker->next) {
    const HeaderBytes segment({marker->data, marker->data_length});
    if (!segment.text().starts_with(exif)) continue;
    return exif_orientation({marker->data + exif.size(), marker->data_length - exif.size()});
  }
  return 1;
}

/// As Adobe's programs write it: 255 is no ink.
cv::Mat rgb_of(const cv::Mat& cmyk) {
  cv::Mat rgb(cmyk.size(), CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const auto* ink = cmyk.ptr<std::uint8_t>(y);
    auto* out = rgb.ptr<std::uint8_t>(y);
    for (int x = 0; x < cmyk.cols; ++x, ink += 4, out += 3) {
      for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(ink[3] - ((255 - ink[c]) * ink[3] >> 8));
    }
  }
  return rgb;
}

}  // namespace

JpegPicture decode_jpeg(std::span<const std::uint8_t> bytes) {
  JpegDecoder decoder;
  if (!decoder.read_header(bytes)) return {{}, decoder.problem()};
  const auto orientation = decoder.orientation();
  cv::Mat image(decoder.size(), decoder.is_cmyk() ? CV_8UC4 : CV_8UC3);
  if (!decoder.read_pixels(image)) return {{}, decoder.problem()};
  if (decoder.is_cmyk()) image = rgb_of(image);
  return {upright(image, orientation), ""};
}

}  // namespace kindred
