# Kindred in a container: docs/docker.md says how to build and use it.
#
#   docker build -t kindred .                              Debian 12 with its LibTorch 1.13, for the CPU
#   docker build -t kindred --build-arg TORCH=... .        with a LibTorch of PyTorch's own, for a GPU
#   docker build -t kindred-build --target build .         the build stage: compilers and headers, for building plugins
ARG BASE_IMAGE=debian:bookworm-slim
# What is compiled in; of the same distribution as BASE_IMAGE.
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS build
WORKDIR /src/kindred

# What `pip install` takes for a LibTorch of PyTorch's own; empty: Debian's.
ARG TORCH=""
ENV KINDRED_TORCH=${TORCH:+/opt/torch/torch}
COPY tools/setup.sh tools/setup.sh
RUN tools/setup.sh packages && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /opt/torch && if [ -n "$TORCH" ]; then \
      apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/* && \
      pip install --no-cache-dir --target /opt/torch ${TORCH}; \
    fi
# For the runtime stage: of all that pip brought, the shared libraries.
RUN mkdir /opt/torch-libraries && cd /opt/torch && \
    find . -type f \( -path './torch/lib/*.so*' -o -path './nvidia/*.so*' \) -exec cp -l --parents -t /opt/torch-libraries {} +

COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY framework framework
COPY plugins plugins
COPY tools tools
# A part of the launcher (cmake/KindredService.cmake).
COPY docs/openapi.json docs/openapi.json
RUN KINDRED_CMAKE="-DKINDRED_TESTS=OFF -DKINDRED_BENCH=OFF -DKINDRED_PYTHON_MODULE=OFF" tools/setup.sh runtime

COPY configs configs
COPY examples examples
COPY docs docs
COPY README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE NOTICE ./
RUN cmake --install build/release* --prefix /opt/kindred --strip

FROM ${BASE_IMAGE}
ARG TORCH=""
# By Debian 12's names; all else comes as a dependency. Without libopenblas0-openmp it would be the reference BLAS.
ARG RUNTIME_PACKAGES="libopencv-core406 libopencv-imgcodecs406 libopencv-imgproc406 libjpeg62-turbo libopenblas0-openmp libspdlog1.10 libtomlplusplus3 libssl3 libzip4 zlib1g libonnx1 libprotobuf32 libcpp-httplib0.11"
RUN apt-get update && \
    apt-get install -y --no-install-recommends ${RUNTIME_PACKAGES} $([ -n "$TORCH" ] || echo libtorch1.13) && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --non-unique --uid 1000 --create-home kindred && \
    install -d -o kindred -g kindred /workspace /workspace/data /workspace/runs

COPY --from=build /opt/torch-libraries /opt/torch
COPY --from=build /opt/kindred /opt/kindred
ENV PATH=/opt/kindred/bin:${PATH}
USER kindred
WORKDIR /workspace
# A plugin that lacks a library is left out with a warning: here that is an error.
RUN kindred --version && kindred list >/dev/null 2>/tmp/warnings && ! grep . /tmp/warnings && rm /tmp/warnings
ENTRYPOINT ["kindred"]
CMD ["--help"]
