#!/usr/bin/env bash
# Runs a command of Flink's in a container whose root file system is read-only and whose configuration holds no secret: Flink's configuration
# is a ConfigMap, which is copied into memory, and the password of the TLS stores is added there, from a mounted Secret.
set -euo pipefail
umask 077

run=${FLINK_MASKING_RUN_DIR:-/run/flink-masking}
conf=${FLINK_CONF_DIR:-${FLINK_HOME:-/opt/flink}/conf}

mkdir -p "$run/conf"
cp -Lf "$conf"/* "$run/conf/"

if [ -n "${FLINK_MASKING_TLS_PASSWORD_FILE:-}" ]; then
  password=
  if [ -r "$FLINK_MASKING_TLS_PASSWORD_FILE" ]; then
    IFS= read -r password < "$FLINK_MASKING_TLS_PASSWORD_FILE" || true  # the last line may lack its end
  fi
  if [ -z "$password" ]; then
    echo "$FLINK_MASKING_TLS_PASSWORD_FILE: no password of the TLS stores. Hint: put it into the Secret flink-masking-tls-password, key password" >&2
    exit 1
  fi
  {
    echo
    for option in {internal,rest}.{keystore-password,key-password,truststore-password}; do
      printf "security.ssl.%s: '%s'\n" "$option" "${password//\'/\'\'}"
    done
  } >> "$run/conf/config.yaml"
  unset password
fi
export FLINK_CONF_DIR=$run/conf

# glibc's allocator keeps what RocksDB and Arrow give back.
for library in /usr/lib/*/libjemalloc.so.2; do
  if [ -e "$library" ]; then export LD_PRELOAD=$library; fi
done

exec "$@"
