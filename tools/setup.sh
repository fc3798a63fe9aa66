# Sourced by ./run, ./test and .ci/run: installs what is missing, builds, says what it does.
# Everything is idempotent: a second run finds nothing to do.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Objects are shared between clones and build folders.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

PACKAGES_BUILD="g++ cmake ninja-build ccache pkg-config mold git ca-certificates
  libboost1.81-dev libfmt-dev libzstd-dev libpcre2-dev libxxhash-dev libsqlite3-dev libsimdjson-dev
  libyaml-cpp-dev libssl-dev zlib1g-dev"
PACKAGES_TEST="libgtest-dev python3 clang-format logrotate faketime"
PACKAGES_BROWSER="chromium"

say() { printf '\033[1m[kelp %3ds]\033[0m %s\n' "$SECONDS" "$*" >&2; }
die() {
  say "failed: $*"
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root rights are needed for: $* (become root, or install sudo)"
  fi
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      printf '%s ' "$package"
  done
}

apt_updated=
# need_packages PACKAGE...: installs those that are missing; fails when that fails.
need_packages() {
  local missing log
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  command -v apt-get >/dev/null ||
    die "these packages are missing, and there is no apt-get to install them: $missing"
  say "installing $missing"
  log=$(mktemp)
  if [ -z "$apt_updated" ]; then
    as_root apt-get -o DPkg::Lock::Timeout=600 update >"$log" 2>&1 ||
      { tail -20 "$log" >&2; die "apt-get update"; }
    apt_updated=1
  fi
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
    install -y --no-install-recommends $missing >"$log" 2>&1 ||
    { tail -20 "$log" >&2; die "apt-get install $missing"; }
  rm -f "$log"
}

# Node.js 18 or newer with npm, as Debian has them; any that is there already serves.
need_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need_packages nodejs npm
  fi
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 18 ] || die "Node.js 18 or newer is needed to build the console, found $(node -v)"
}

# Builds console/dist when its sources are newer.
build_console() {
  need_node
  local stamp=console/dist/.stamp log
  if [ -f "$stamp" ] && [ -z "$(find console -newer "$stamp" -type f \
    -not -path 'console/node_modules/*' -not -path 'console/dist/*' -print -quit)" ]; then
    return 0
  fi
  say "building the console"
  log=$(mktemp)
  (cd console && { [ -d node_modules ] && [ ! package-lock.json -nt node_modules ] ||
    npm ci --no-audit --no-fund; } && npm run build) >"$log" 2>&1 ||
    { tail -30 "$log" >&2; die "the console does not build"; }
  touch "$stamp"
  rm -f "$log"
}

# DuckDB for SQL, from npm. Without it everything but SQL works.
install_duckdb() {
  cmp -s third_party/duckdb/packages.txt build/duckdb/.stamp && return 0
  need_node
  say "fetching DuckDB"
  tools/get_duckdb >&2 || say "no DuckDB from npm: SQL is left out, its tests will be skipped"
}

# What drives the browser in tests/e2e/console.
install_browser_driver() {
  need_node
  [ -d tests/e2e/console/node_modules ] && return 0
  (cd tests/e2e/console && npm ci --no-audit --no-fund >/dev/null 2>&1) ||
    say "no browser driver from npm: its tests will be skipped"
}

# build PRESET [TARGET...]: configures when needed, and builds with progress.
build() {
  local preset=$1
  shift
  say "configuring the $preset build"
  local log
  log=$(mktemp)
  cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; die "cmake --preset $preset"; }
  rm -f "$log"
  say "building ($preset)"
  if [ -t 2 ]; then
    ninja -C "build/$preset" "$@" || die "the $preset build"
  else
    # Without a terminal: a line every few seconds, and everything when it fails.
    log=$(mktemp)
    ninja -C "build/$preset" "$@" >"$log" 2>&1 &
    local pid=$! waited=0
    while kill -0 $pid 2>/dev/null; do
      sleep 1
      waited=$((waited + 1))
      [ $((waited % 15)) = 0 ] && say "  $(grep -o '^\[[0-9/]*\]' "$log" | tail -1)"
    done
    wait $pid || { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" | head -60 >&2; die "the $preset build"; }
    rm -f "$log"
  fi
}
