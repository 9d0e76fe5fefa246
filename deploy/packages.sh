# shellcheck shell=bash disable=SC2034 # Whoever sources this uses the lists.
# The Debian packages that Millrace needs, in one place. Sourced by deploy/quickstart.sh and
# tests/run.sh.

# To build and run the hub, the client library and the command line.
build_packages=(
  build-essential cmake ninja-build ccache git pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  librocksdb-dev libxxhash-dev libabsl-dev libspdlog-dev libcli11-dev nlohmann-json3-dev
  libboost1.81-dev prometheus-cpp-dev libssl-dev openssl libcjose-dev
)

# To build and run the tests, on top.
test_packages=(
  libgtest-dev libgmock-dev clang-14 libclang-rt-14-dev clang-format-14 python3 python3-venv
  libbenchmark-dev valgrind
)

# To look at the console in a browser, on top.
console_packages=(chromium)

# To make the image, on top.
image_packages=(mmdebstrap umoci)

# What is in the image, with all that these depend on: the shared libraries that our programs need, and for the backup
# job a shell.
runtime_packages=(
  base-files dash coreutils
  libc-ares2 libre2-9 libsnappy1v5 zlib1g libbz2-1.0 liblz4-1 libzstd1
  libxxhash0 libspdlog1.10 libprometheus-cpp-core1.0 libssl3 libcjose0
)

# Whose archives are part of our programs (CMakeLists.txt): the image lists them too.
linked_packages=(libgrpc-dev libgrpc++-dev libprotobuf-dev librocksdb-dev libabsl-dev)

# To test what is in deploy/, on top.
deploy_packages=(strace systemd)

# To build what is in Java, on top.
java_packages=(openjdk-17-jdk-headless maven)

# For tests/run.sh --tidy, on top.
tidy_packages=(clang-tidy-14)

# Installs those of the named packages that are missing; asks nothing, and needs no network where
# none is missing.
install_packages() {
  local package missing=()
  if ! command -v dpkg-query apt-get >/dev/null; then
    echo "This is not Debian: install the counterparts of these packages yourself: $*" >&2
    return 0
  fi
  for package in "$@"; do
    # shellcheck disable=SC2016 # The dollar is dpkg-query's.
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "Missing packages: ${missing[*]}. Install them as root, then run this again." >&2
      return 1
    }
    as_root=(sudo)
  fi
  echo "Installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq </dev/null &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
