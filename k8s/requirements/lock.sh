#!/usr/bin/env bash
# Writes the lists of this folder anew: one version of each dependency, each of its files by SHA-256. Needs uv (pip install uv).
#
#   k8s/requirements/lock.sh              # pyproject.toml has changed; versions that still fit stay
#   k8s/requirements/lock.sh --upgrade    # the newest versions that fit; run the tests with them before you commit
set -euo pipefail
cd "$(dirname "$0")/../.."
lists=k8s/requirements

# lock FILE COMMENT [ARGUMENT…]: the list of what the arguments ask for
lock() {
  local file=$lists/$1.txt comment=$2 part
  shift 2
  part=$(mktemp)
  if [ -f "$file" ]; then cp "$file" "$part"; fi  # versions in it are kept
  uv pip compile "$@" --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet \
    --output-file "$part"
  { echo "# $comment Made by lock.sh: do not edit."; cat "$part"; } > "$file"
  rm -f "$part"
}

lock base "What the package needs, each file by its digest." pyproject.toml "$@"
mapfile -t known < <(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package=\1/p' "$lists/base.txt")
for extra in aws azure control-kafka gcp jars openlineage postgres protobuf report vault; do
  lock "$extra" "What the extra $extra needs besides base.txt." pyproject.toml --extra "$extra" --constraint "$lists/base.txt" "${known[@]}" "$@"
done
lock build "What source distributions are built with." - "$@" <<< $'setuptools>=77,<81\nwheel<0.46'
