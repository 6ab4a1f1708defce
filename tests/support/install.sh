# Every Debian package that anything in this repository needs, by purpose, and the one function that installs them.
# Sourced by config/quickstart, tests/run and .ci/run:   install_packages build engine
# Nothing is asked, and what is there already is left alone.

# Runs a command as root, directly or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo -- "$@"
  else
    echo "cannot run $1 as root: be root, or install sudo" >&2
    return 1
  fi
}

# Boost's header package has its version in its name; the CMake files take 1.81 and newer.
boost_package() {
  local package
  for package in libboost1.81-dev libboost1.83-dev libboost1.88-dev; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      echo "$package"
      return
    fi
  done
  echo libboost-dev
}

packages_for() {
  case $1 in
    build)
      echo g++ cmake ninja-build pkg-config "$(boost_package)" nlohmann-json3-dev libyaml-cpp-dev libspdlog-dev \
        libsqlite3-dev libcli11-dev libarchive-dev libmd-dev libre2-dev libsystemd-dev \
        libssl-dev libutf8proc-dev libnghttp2-dev libprotobuf-dev protobuf-compiler
      ;;
    engine) echo docker.io iptables busybox-static curl ca-certificates ;;
    test) echo catch2 python3 ccache mold git debootstrap postgresql-client docker-registry apache2-utils openssl tmux procps ;;
    check) echo clang-format-14 clang-tidy-14 ;;
    fuzz) echo clang-14 libclang-rt-14-dev ;;
    systemd) echo debootstrap ;;
    *)
      echo "cannot install for \"$1\": there is no such list" >&2
      return 1
      ;;
  esac
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# An engine may be there without Debian's package of it (another vendor's, Podman's): then that is the one to use.
is_needed() {
  case $1 in
    docker.io) ! is_installed docker.io && ! command -v dockerd >/dev/null 2>&1 ;;
    *) ! is_installed "$1" ;;
  esac
}

missing_packages() {
  local purpose package
  for purpose in "$@"; do
    for package in $(packages_for "$purpose"); do
      if is_needed "$package"; then echo "$package"; fi
    done
  done
}

install_packages() {
  command -v apt-get >/dev/null 2>&1 || {
    echo "no apt-get here; install what tests/support/install.sh lists" >&2
    return 0
  }
  local missing
  missing=$(missing_packages "$@")
  if [ -z "$missing" ]; then return 0; fi
  # The lists of a fresh machine may be empty, and then the names above were guesses.
  as_root apt-get update -qq -o Acquire::Retries=3
  missing=$(missing_packages "$@")
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 $missing </dev/null >/dev/null
}
