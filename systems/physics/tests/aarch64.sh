#!/usr/bin/env bash
# Runs the test of determinism as an aarch64 program, under qemu-user: its hash has to be the one that every other machine
# finds. What it needs is installed on a CI machine (CI=true); elsewhere, or where that fails, it says that it was skipped and
# what is missing.
set -euo pipefail
cd "$(dirname "$0")/../../.."

target=aarch64-unknown-linux-gnu
skip() {
  echo "skipped: determinism on aarch64 needs $*"
  exit 0
}
on_ci() {
  [ "${CI:-}" = true ] && timeout 600 "$@" >/dev/null 2>&1
}

command -v rustup >/dev/null || skip rustup
rustup target list --installed | grep -qx "$target" ||
  on_ci rustup target add "$target" || skip "rustup target add $target"

missing=()
command -v aarch64-linux-gnu-gcc >/dev/null || missing+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
if [ ${#missing[@]} -gt 0 ]; then
  { on_ci apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive on_ci apt-get install -qq -y --no-install-recommends "${missing[@]}"; } ||
    skip "${missing[@]}"
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo test --locked --target "$target" --package ghostball_physics --test determinism
